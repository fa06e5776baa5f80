//! One HTTP client for every AWS client of a process.
//!
//! Plain HTTP to a loopback address (the sandbox, an emulator) goes straight there. Everything else may need TLS and a
//! proxy; that half is built at the first such request, because reading the system's certificates costs more CPU
//! than the rest of a short run.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::OnceLock;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::trace::traced;
use crate::env::{AWS_CA_BUNDLE, Env};
use crate::fault::Fault;

/// The client; `AWS_CA_BUNDLE` replaces the system's certificates, as in the AWS CLI.
///
/// # Errors
/// A usage fault when `AWS_CA_BUNDLE` names no file. It is read only when a request needs it.
pub(super) fn client(env: &Env) -> Result<SharedHttpClient, Fault> {
    let bundle = env.get(AWS_CA_BUNDLE).map(find_bundle).transpose()?;
    Ok(SharedHttpClient::new(ByDestination {
        plain: Builder::new().build_http(),
        secure: std::sync::Arc::new(Secure { bundle, client: OnceLock::new() }),
    }))
}

fn find_bundle(path: &str) -> Result<PathBuf, Fault> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(PathBuf::from(path)),
        found => {
            let reason = found.err().map_or_else(|| "it is no file".to_owned(), |error| error.to_string());
            Err(Fault::usage(format!("the certificates `{path}` cannot be read"))
                .with_cause(reason)
                .with_hint("AWS_CA_BUNDLE names a PEM file; unset it or correct the path"))
        }
    }
}

/// Picks the plain or the secure client by where a request goes.
#[derive(Debug)]
struct ByDestination {
    plain: SharedHttpClient,
    secure: std::sync::Arc<Secure>,
}

impl HttpClient for ByDestination {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(ConnectorByDestination {
            plain: self.plain.http_connector(settings, components),
            secure: self.secure.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

#[derive(Debug)]
struct ConnectorByDestination {
    plain: SharedHttpConnector,
    secure: std::sync::Arc<Secure>,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for ConnectorByDestination {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        traced(request, |request| {
            if is_plain_loopback(request.uri()) {
                self.plain.call(request)
            } else {
                self.secure.client().http_connector(&self.settings, &self.components).call(request)
            }
        })
    }
}

/// The half with TLS and proxies, built when it is first needed.
#[derive(Debug)]
struct Secure {
    bundle: Option<PathBuf>,
    client: OnceLock<SharedHttpClient>,
}

impl Secure {
    fn client(&self) -> &SharedHttpClient {
        self.client.get_or_init(|| {
            let store = match &self.bundle {
                // A bundle that vanished since trusts nobody: the connection is refused, not made unchecked.
                Some(path) => TrustStore::empty().with_pem_certificate(fs::read(path).unwrap_or_default()),
                None => TrustStore::default(),
            };
            // A context is refused only for lack of a trust store, and this one has one.
            let context = TlsContext::builder().with_trust_store(store).build().unwrap_or_default();
            Builder::new().build_with_connector_fn(move |settings, components| {
                let mut builder = Connector::builder();
                builder.set_connector_settings(settings.cloned());
                if let Some(components) = components {
                    builder.set_sleep_impl(components.sleep_impl());
                }
                builder
                    .proxy_config(ProxyConfig::from_env())
                    .tls_provider(Provider::Rustls(CryptoMode::Ring))
                    .tls_context(context.clone())
                    .build()
            })
        })
    }
}

/// The host of a URI and its port, if it names one; never what stands before an `@`.
pub(super) fn host(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

/// Whether `uri` is `http://` to this machine.
fn is_plain_loopback(uri: &str) -> bool {
    if !uri.starts_with("http://") {
        return false;
    }
    let authority = host(uri);
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{host, is_plain_loopback};

    #[test]
    fn names_the_host_and_nothing_else() {
        assert_eq!(
            host("https://kinesis.eu-central-1.amazonaws.com/?a=b"),
            "kinesis.eu-central-1.amazonaws.com"
        );
        assert_eq!(host("http://user:secret@127.0.0.1:4566"), "127.0.0.1:4566");
    }

    #[test]
    fn only_plain_http_to_this_machine_is_plain() {
        for uri in ["http://127.0.0.1:4567/", "http://localhost:1", "http://[::1]:80/x", "http://127.9.9.9"] {
            assert!(is_plain_loopback(uri), "{uri}");
        }
        for uri in [
            "https://127.0.0.1:4567/",
            "http://kinesis.eu-central-1.amazonaws.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost@example.com/",
            "http://10.0.0.1/",
        ] {
            assert!(!is_plain_loopback(uri), "{uri}");
        }
    }
}
