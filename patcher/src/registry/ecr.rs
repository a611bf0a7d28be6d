//! Credentials for private ECR registries: `GetAuthorizationToken`, signed with the keys in the
//! environment, which is what Lambda and most CI systems have. The signature is AWS Signature
//! Version 4; one request does not warrant an SDK.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oci_client::secrets::RegistryAuth;
use sha2::{Digest as _, Sha256};

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

/// The region of a private ECR registry: `ACCOUNT.dkr.ecr.REGION.amazonaws.com`.
pub(super) fn region(host: &str) -> Option<String> {
    let (account, rest) = host.split_once(".dkr.ecr.")?;
    let (region, domain) = rest.split_once('.')?;
    let number = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (number && domain.starts_with("amazonaws.com")).then(|| region.to_owned())
}

/// Logs in.
pub(super) async fn login(
    keys: &AwsKeys,
    region: &str,
    timeout: Duration,
) -> Result<RegistryAuth, String> {
    let url = keys
        .endpoint
        .clone()
        .unwrap_or_else(|| format!("https://api.ecr.{region}.amazonaws.com"));
    let host = url
        .split_once("://")
        .map_or(url.as_str(), |(_, host)| host)
        .trim_end_matches('/');
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let request = Request {
        host,
        region,
        time: timestamp(since.as_secs()),
        body: "{}",
    };
    let client = reqwest::Client::builder()
        .timeout(timeout)
        .build()
        .map_err(|error| format!("cannot ask ECR for credentials: {error}"))?;
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
    let decoded = String::from_utf8(base64(token)?).ok()?;
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

/// HMAC-SHA256, RFC 2104.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 64;
    let mut block = if key.len() > BLOCK {
        Sha256::digest(key).to_vec()
    } else {
        key.to_vec()
    };
    block.resize(BLOCK, 0);
    let pad = |with: u8| {
        block
            .iter()
            .map(move |byte| byte ^ with)
            .collect::<Vec<_>>()
    };
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .flatten()
        .collect()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(out)
}

/// Seconds since 1970 as `20260102T030405Z`; the civil calendar by the days-from-civil inverse.
fn timestamp(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_private_registries() {
        let host = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
        assert_eq!(region(host).as_deref(), Some("eu-central-1"));
        assert_eq!(region("public.ecr.aws"), None);
        assert_eq!(region("123456789012.dkr.ecr.x.example.com"), None);
    }

    #[test]
    fn the_clock_and_the_codes_are_right() {
        assert_eq!(timestamp(0), "19700101T000000Z");
        assert_eq!(timestamp(951_827_696), "20000229T123456Z");
        assert_eq!(timestamp(1_795_219_199), "20261120T235959Z");
        assert_eq!(base64("QVdTOnB3").as_deref(), Some(&b"AWS:pw"[..]));
        // RFC 4231, case 2.
        assert_eq!(
            hex(&hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
