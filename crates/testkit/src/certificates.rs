//! Certificates, made on the spot.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// A certificate with its private key, both in PEM.
#[derive(Debug)]
pub struct Certificate {
    /// The certificate.
    pub pem: String,
    /// Its private key.
    pub key: String,
}

impl Certificate {
    /// One that signs itself, as an authority may, for these hosts: what `openssl req -x509` makes.
    ///
    /// # Errors
    /// When a host's name cannot be one.
    pub fn of_its_own(hosts: &[&str]) -> anyhow::Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(owned(hosts))?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self { pem: params.self_signed(&key)?.pem(), key: key.serialize_pem() })
    }
}

/// An authority that signs certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, in PEM.
    pub pem: String,
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new() -> anyhow::Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// A certificate for these hosts.
    ///
    /// # Errors
    /// When a host's name cannot be one.
    pub fn sign(&self, hosts: &[&str]) -> anyhow::Result<Certificate> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(owned(hosts))?.signed_by(&key, &self.issuer)?;
        Ok(Certificate { pem: certificate.pem(), key: key.serialize_pem() })
    }
}

fn owned(hosts: &[&str]) -> Vec<String> {
    hosts.iter().map(|host| (*host).to_owned()).collect()
}
