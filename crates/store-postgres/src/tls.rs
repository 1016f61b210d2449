//! TLS to PostgreSQL, as its own tools understand it: `sslmode`, `sslrootcert`, `sslcert` and `sslkey` of the URL.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

/// The value of `sslrootcert` that means the authorities which the system trusts.
const SYSTEM: &str = "system";
/// What PostgreSQL's protocol is called in TLS; servers want it where TLS is begun without asking.
const ALPN: &[u8] = b"postgresql";

/// How much of TLS is asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => {
                return Err(
                    "sslmode is one of disable, prefer, require, verify-ca and verify-full".to_owned()
                );
            }
        })
    }
}

/// What a URL says of TLS.
#[derive(Default)]
pub(crate) struct TlsSettings {
    mode: Option<Mode>,
    root: Option<String>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl TlsSettings {
    /// Takes a parameter of a URL, if it is one of these; gives whether it was.
    ///
    /// # Errors
    /// With what is wrong with its value.
    pub(crate) fn take(&mut self, name: &str, value: &str) -> Result<bool, String> {
        match name {
            "sslmode" => self.mode = Some(value.parse()?),
            "sslrootcert" => self.root = Some(value.to_owned()),
            "sslcert" => self.certificate = Some(value.into()),
            "sslkey" => self.key = Some(value.into()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The mode that holds, what checks certificates with it, and what speaks TLS. Reads the files that are named.
    ///
    /// # Errors
    /// With a sentence, for files that cannot be used and settings that contradict each other.
    pub(crate) fn connector(&self) -> Result<(SslMode, MakeRustlsConnect), String> {
        let system = self.root.as_deref() == Some(SYSTEM);
        let mode = match self.mode {
            Some(Mode::VerifyFull) => Mode::VerifyFull,
            Some(_) if system => return Err("sslrootcert=system needs sslmode=verify-full".to_owned()),
            None if system => Mode::VerifyFull,
            Some(mode @ (Mode::Disable | Mode::Prefer)) if self.root.is_some() => {
                return Err(format!(
                    "sslrootcert has no use with sslmode={}: set verify-full",
                    name_of(mode)
                ));
            }
            None if self.root.is_some() => {
                return Err("sslrootcert has no use without sslmode: set verify-full".to_owned());
            }
            Some(Mode::Require) if self.root.is_some() => Mode::VerifyCa,
            Some(Mode::VerifyCa) if self.root.is_none() => {
                return Err(
                    "sslmode=verify-ca needs sslrootcert=FILE with the authority's certificate".to_owned()
                );
            }
            mode => mode.unwrap_or(Mode::Prefer),
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let trusted = if mode >= Mode::VerifyCa { Some(self.trusted(mode, system)?) } else { None };
        let verifier = Verifier { trusted, provider: Arc::clone(&provider) };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match (&self.certificate, &self.key) {
            (None, None) => config.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let chain = certificates("sslcert", certificate)?;
                let key = PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| format!("sslkey: cannot use {}: {error}", key.display()))?;
                let with = config.with_client_auth_cert(chain, key);
                with.map_err(|error| format!("sslcert and sslkey do not go together: {error}"))?
            }
            _ => return Err("sslcert and sslkey come together".to_owned()),
        };
        config.alpn_protocols = vec![ALPN.to_vec()];
        let mode = match mode {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        };
        Ok((mode, MakeRustlsConnect::new(config)))
    }

    /// The authorities that may sign the server's certificate.
    fn trusted(&self, mode: Mode, system: bool) -> Result<Trusted, String> {
        let named = match &self.root {
            Some(path) if !system => certificates("sslrootcert", &path.into())?,
            _ => {
                let found = rustls_native_certs::load_native_certs();
                if found.certs.is_empty() {
                    let why = "this system has no list of trusted authorities (Debian: ca-certificates); set sslrootcert=FILE";
                    return Err(why.to_owned());
                }
                found.certs
            }
        };
        let mut roots = RootCertStore::empty();
        let (taken, _) = roots.add_parsable_certificates(named.iter().cloned());
        if taken == 0 {
            return Err("sslrootcert: there is no certificate in it that can be used".to_owned());
        }
        Ok(Trusted {
            named: if self.root.is_none() || system { Vec::new() } else { named },
            roots,
            by_name: mode == Mode::VerifyFull,
        })
    }
}

fn name_of(mode: Mode) -> &'static str {
    match mode {
        Mode::Disable => "disable",
        Mode::Prefer => "prefer",
        Mode::Require => "require",
        Mode::VerifyCa => "verify-ca",
        Mode::VerifyFull => "verify-full",
    }
}

/// The certificates in a PEM file, one at least.
fn certificates(parameter: &str, path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, String> {
    let cannot = |why: String| format!("{parameter}: cannot use {}: {why}", path.display());
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| cannot(error.to_string()))?;
    if found.is_empty() { Err(cannot("there is no certificate in it".to_owned())) } else { Ok(found) }
}

/// Whom a server's certificate must come from.
#[derive(Debug)]
struct Trusted {
    /// What `sslrootcert` names. A server may show one of these itself, as those do that sign their own.
    named: Vec<CertificateDer<'static>>,
    roots: RootCertStore,
    /// Whether the host's name must be in the certificate.
    by_name: bool,
}

/// Checks the server's certificate as far as the mode asks for it.
#[derive(Debug)]
struct Verifier {
    /// None if anybody will do.
    trusted: Option<Trusted>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(Trusted { named, roots, by_name }) = &self.trusted else {
            return Ok(ServerCertVerified::assertion());
        };
        let certificate = ParsedCertificate::try_from(end_entity)?;
        if !named.contains(end_entity) {
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, now, algorithms)?;
        }
        if *by_name {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What went wrong with TLS, as a person would say it; none if it was something else.
pub(crate) fn trouble(error: &tokio_postgres::Error) -> Option<String> {
    use rustls::CertificateError as Wrong;
    // The text is all that tokio-postgres gives to tell errors of TLS by.
    if !error.to_string().starts_with("error performing TLS handshake") {
        return None;
    }
    let cause = std::error::Error::source(error);
    let broken = cause.and_then(|cause| cause.downcast_ref::<std::io::Error>());
    let broken = broken.and_then(std::io::Error::get_ref).and_then(|inner| inner.downcast_ref::<Error>());
    Some(match broken {
        Some(Error::InvalidCertificate(wrong)) => match wrong {
            Wrong::UnknownIssuer | Wrong::BadSignature => {
                "its certificate is not signed by an authority that sslrootcert names".to_owned()
            }
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
                format!(
                    "its certificate is for another host name, and sslmode=verify-full looks at that ({wrong})"
                )
            }
            Wrong::Expired | Wrong::ExpiredContext { .. } => "its certificate has expired".to_owned(),
            Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => {
                "its certificate is not valid yet; look at this machine's clock".to_owned()
            }
            other => format!("its certificate cannot be used ({other})"),
        },
        Some(other) => other.to_string(),
        None => match cause.map(ToString::to_string) {
            Some(said) if said.contains("does not support TLS") => {
                "it speaks no TLS; set `ssl = on` there, or sslmode=disable in a private network".to_owned()
            }
            said => said.unwrap_or_else(|| error.to_string()),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connector(all: &[(&str, &str)]) -> Result<SslMode, String> {
        let mut settings = TlsSettings::default();
        for (name, value) in all {
            assert!(settings.take(name, value)?, "{name}");
        }
        settings.connector().map(|(mode, _)| mode)
    }

    #[test]
    fn without_a_word_tls_is_preferred() {
        assert_eq!(connector(&[]), Ok(SslMode::Prefer));
        assert_eq!(connector(&[("sslmode", "disable")]), Ok(SslMode::Disable));
        assert_eq!(connector(&[("sslmode", "require")]), Ok(SslMode::Require));
    }

    #[test]
    fn settings_that_would_only_look_safe_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("empty.pem");
        std::fs::write(&empty, "nothing").unwrap();
        let empty = empty.to_str().unwrap();
        let wrong: &[(&[(&str, &str)], &str)] = &[
            (&[("sslmode", "allow")], "sslmode is one of"),
            (&[("sslmode", "verify-ca")], "needs sslrootcert"),
            (&[("sslrootcert", empty)], "without sslmode"),
            (&[("sslmode", "prefer"), ("sslrootcert", empty)], "sslmode=prefer"),
            (&[("sslmode", "require"), ("sslrootcert", "system")], "needs sslmode=verify-full"),
            (&[("sslmode", "verify-full"), ("sslrootcert", empty)], "there is no certificate in it"),
            (&[("sslmode", "verify-full"), ("sslrootcert", "/nonexistent.pem")], "/nonexistent.pem"),
            (&[("sslmode", "require"), ("sslcert", empty)], "come together"),
            (&[("sslmode", "require"), ("sslcert", empty), ("sslkey", empty)], "sslcert: cannot use"),
        ];
        for (settings, words) in wrong {
            let error = connector(settings).unwrap_err();
            assert!(error.contains(words), "{settings:?}: {error}");
        }
    }
}
