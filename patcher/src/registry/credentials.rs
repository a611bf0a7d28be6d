//! Credentials where `docker login` leaves them, helpers included.

use std::fs::File;
use std::path::PathBuf;

use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};
use oci_client::secrets::RegistryAuth;

/// Finds the credentials of a registry; `None` when no configuration has any.
pub(super) fn find(configs: &[PathBuf], registry: &str) -> Result<Option<RegistryAuth>, String> {
    for config in configs {
        for server in names(registry) {
            // Docker need not be installed, and a file that is not there holds nothing.
            let Ok(file) = File::open(config) else { break };
            match get_credential_from_reader(file, &server) {
                Ok(DockerCredential::UsernamePassword(user, password)) => {
                    return Ok(Some(RegistryAuth::Basic(user, password)));
                }
                Ok(DockerCredential::IdentityToken(_)) => {
                    return Err(format!(
                        "{} holds an identity token for {registry}, and a user name with a password is needed",
                        config.display()
                    ));
                }
                Err(
                    CredentialRetrievalError::NoCredentialConfigured
                    | CredentialRetrievalError::ConfigNotFound,
                ) => {}
                // A helper that knows nothing of this registry says so by failing.
                Err(CredentialRetrievalError::HelperFailure { stdout, .. })
                    if stdout.contains("credentials not found") => {}
                Err(error) => {
                    let message = error.to_string();
                    let first = message.lines().next().unwrap_or_default();
                    return Err(format!("{}: {first}", config.display()));
                }
            }
        }
    }
    Ok(None)
}

/// The names under which configurations have a registry.
fn names(registry: &str) -> Vec<String> {
    if matches!(
        registry,
        "docker.io" | "index.docker.io" | "registry-1.docker.io"
    ) {
        return vec![
            "https://index.docker.io/v1/".to_owned(),
            "docker.io".to_owned(),
        ];
    }
    vec![
        registry.to_owned(),
        format!("https://{registry}"),
        format!("https://{registry}/v2/"),
    ]
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn reads_the_forms_of_a_docker_configuration() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("config.json");
        // `dTpw` is `u:p`.
        let json = r#"{"auths": {"r.example:5000": {"auth": "dTpw"}, "https://index.docker.io/v1/": {"auth": "dTpw"}}}"#;
        fs::write(&config, json).unwrap();
        let configs = [directory.path().join("missing"), config];
        let basic = Ok(Some(RegistryAuth::Basic("u".into(), "p".into())));
        assert_eq!(find(&configs, "r.example:5000"), basic);
        assert_eq!(find(&configs, "docker.io"), basic);
        assert_eq!(find(&configs, "other.example"), Ok(None));
    }
}
