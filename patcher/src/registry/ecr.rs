//! Credentials for private ECR registries: `GetAuthorizationToken`, signed with the keys in the
//! environment, which is what Lambda and most CI systems have. The signature is AWS Signature
//! Version 4; one request does not warrant an SDK.

use std::fmt;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chrono::Utc;
use hmac::{Hmac, KeyInit as _, Mac as _};
use oci_client::secrets::RegistryAuth;
use sha2::{Digest as _, Sha256};

use super::failure;

/// An AWS access key.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsKeys {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// The token of a temporary key.
    pub token: Option<String>,
    /// Where ECR is, instead of its usual place.
    pub endpoint: Option<String>,
}

impl fmt::Debug for AwsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKeys")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Where a private registry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Home {
    region: String,
    /// What its host and ECR's end with.
    domain: String,
}

/// Recognises a private ECR registry: `ACCOUNT.dkr.ecr.REGION.amazonaws.com`. Only AWS's own domains
/// count: a template names the host, and the password opens every registry of the account.
pub(super) fn home(host: &str) -> Option<Home> {
    let (account, rest) = host.split_once(".dkr.ecr.")?;
    let (region, domain) = rest.split_once('.')?;
    let number = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let word = region
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let ours = matches!(domain, "amazonaws.com" | "amazonaws.com.cn");
    (number && word && ours).then(|| Home {
        region: region.to_owned(),
        domain: domain.to_owned(),
    })
}

/// Logs in.
pub(super) async fn login(
    keys: &AwsKeys,
    Home { region, domain }: &Home,
    timeout: Duration,
) -> Result<RegistryAuth, String> {
    let url = keys
        .endpoint
        .clone()
        .unwrap_or_else(|| format!("https://api.ecr.{region}.{domain}"));
    let host = url
        .split_once("://")
        .map_or(url.as_str(), |(_, host)| host)
        .trim_end_matches('/');
    let request = Request {
        host,
        region,
        time: Utc::now().format("%Y%m%dT%H%M%SZ").to_string(),
        body: "{}",
    };
    let client = reqwest::Client::builder()
        .timeout(timeout)
        .build()
        .map_err(|error| failure::no_tls(&error))?;
    let mut post = client
        .post(format!("{}/", url.trim_end_matches('/')))
        .body("{}");
    for (name, value) in request.headers(keys) {
        post = post.header(name, value);
    }
    let failed = |error: reqwest::Error| format!("cannot ask ECR for credentials: {error}");
    let response = post.send().await.map_err(failed)?;
    let status = response.status().as_u16();
    let body = response.bytes().await.map_err(failed)?;
    if status != 200 {
        return Err(format!(
            "ECR in {region} refuses credentials (status {status}); it takes ecr:GetAuthorizationToken"
        ));
    }
    parse(&body).ok_or_else(|| format!("ECR in {region} sent no credentials"))
}

fn parse(body: &[u8]) -> Option<RegistryAuth> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let token = answer
        .get("authorizationData")?
        .get(0)?
        .get("authorizationToken")?
        .as_str()?;
    let decoded = String::from_utf8(BASE64_STANDARD.decode(token).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some(RegistryAuth::Basic(user.to_owned(), password.to_owned()))
}

struct Request<'r> {
    host: &'r str,
    region: &'r str,
    /// `20260102T030405Z`.
    time: String,
    body: &'r str,
}

impl Request<'_> {
    const ACTION: &'static str = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";

    fn headers(&self, keys: &AwsKeys) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("host", self.host.to_owned()),
            ("x-amz-date", self.time.clone()),
        ];
        headers.extend(
            keys.token
                .clone()
                .map(|token| ("x-amz-security-token", token)),
        );
        headers.push(("x-amz-target", Self::ACTION.to_owned()));
        let signed: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let signed = signed.join(";");
        let lines: String = headers
            .iter()
            .map(|(name, value)| [name, ":", value, "\n"].concat())
            .collect();
        let body = hex(&Sha256::digest(self.body));
        let canonical = format!("POST\n/\n\n{lines}\n{signed}\n{body}");
        let day = self.time.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/ecr/aws4_request", self.region);
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            self.time,
            hex(&Sha256::digest(canonical))
        );
        let secret = format!("AWS4{}", keys.secret);
        let key = [day, self.region, "ecr", "aws4_request", &to_sign]
            .iter()
            .fold(secret.into_bytes(), |key, part| hmac(&key, part.as_bytes()));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={}",
            keys.id,
            hex(&key)
        );
        headers.retain(|(name, _)| *name != "host");
        headers.push(("authorization", authorization));
        headers
    }
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes a key of any length.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mac| mac.chain_update(message).finalize().into_bytes().to_vec(),
    )
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_private_registries() {
        let table = [
            ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", true),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", true),
            ("public.ecr.aws", false),
            ("123456789012.dkr.ecr.x.example.com", false),
            ("123456789012.dkr.ecr.x.amazonaws.com.example.com", false),
            ("123456789012.dkr.ecr.x.amazonaws.com:8443", false),
            ("123456789012.dkr.ecr.x/y.amazonaws.com", false),
            ("me.dkr.ecr.x.amazonaws.com", false),
        ];
        for (host, want) in table {
            assert_eq!(home(host).is_some(), want, "for {host}");
        }
        let china = home("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn").unwrap();
        assert_eq!(
            (china.region.as_str(), china.domain.as_str()),
            ("cn-north-1", "amazonaws.com.cn")
        );
    }

    #[test]
    fn signs_as_aws_does() {
        // RFC 4231, case 2.
        assert_eq!(
            hex(&hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
