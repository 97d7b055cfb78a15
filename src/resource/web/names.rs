//! From the names of hosts to addresses that may be reached.

use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_admitted;

/// Knows the addresses of hosts.
pub trait NameResolver: Debug + Send + Sync {
    /// The addresses of a host, the best first.
    fn addresses(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The resolver of the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl NameResolver for SystemResolver {
    fn addresses(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// The names of one origin. The connection is opened to the addresses that were checked, and to no others: nobody can give the
/// name another meaning in between.
#[derive(Debug)]
pub(super) struct CheckedNames {
    pub(super) resolver: Arc<dyn NameResolver>,
    pub(super) is_private_origin: bool,
}

/// A host has no address that its origin may reach.
#[derive(Debug, thiserror::Error)]
#[error(
    "the name leads to a private network, to this machine, or to nobody; if it is meant to, its operator has to mark the origin \
     by `private=\"true\"`"
)]
pub(super) struct AddressRefused;

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let looking = self.resolver.addresses(name.as_str());
        let is_private_origin = self.is_private_origin;
        Box::pin(async move {
            let mut found = looking.await?;
            if found.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
            }
            found.retain(|address| is_admitted(*address, is_private_origin, false));
            if found.is_empty() {
                return Err(AddressRefused.into());
            }
            // The port is that of the URI.
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed(&'static [&'static str]);

    impl NameResolver for Fixed {
        fn addresses(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let found = self.0.iter().map(|text| text.parse().unwrap()).collect();
            Box::pin(async { Ok(found) })
        }
    }

    async fn resolved(found: &'static [&'static str], is_private_origin: bool) -> Result<Vec<String>, String> {
        let names = CheckedNames { resolver: Arc::new(Fixed(found)), is_private_origin };
        match names.resolve("host".parse().unwrap()).await {
            Ok(addresses) => Ok(addresses.map(|address| address.ip().to_string()).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[tokio::test]
    async fn only_admitted_addresses_are_connected_to() {
        let mixed = &["10.0.0.1", "1.1.1.1", "169.254.169.254", "::1"];
        assert_eq!(resolved(mixed, false).await.unwrap(), ["1.1.1.1"]);
        assert_eq!(resolved(mixed, true).await.unwrap(), ["10.0.0.1", "1.1.1.1", "::1"]);
    }

    #[tokio::test]
    async fn a_name_without_an_admitted_address_is_refused() {
        let error = resolved(&["127.0.0.1", "::ffff:10.0.0.1"], false).await.unwrap_err();
        assert!(error.contains("private=\"true\""), "{error}");
        let error = resolved(&["169.254.169.254"], true).await.unwrap_err();
        assert!(error.contains("private network"), "{error}");
        assert_eq!(resolved(&[], true).await.unwrap_err(), "the name has no address");
    }

    #[tokio::test]
    async fn the_system_knows_itself() {
        let addresses = SystemResolver.addresses("localhost").await.unwrap();
        assert!(addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
    }
}
