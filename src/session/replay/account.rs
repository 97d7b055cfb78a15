//! On whose account remembered answers stand.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::session::{AnswerScope, Principal};

/// So many bytes of a name say whose it is.
pub(super) const OWNER_BYTES: usize = 8;

/// From where a request comes: an address, or, of IPv6, the network of 64 bits that one client has for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientNetwork([u8; 8]);

impl From<IpAddr> for ClientNetwork {
    fn from(address: IpAddr) -> Self {
        let bytes = match address.to_canonical() {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets().into_iter().skip(8).collect::<Vec<_>>(),
            IpAddr::V6(address) => address.octets().into_iter().take(8).collect(),
        };
        Self(std::array::from_fn(|index| bytes.get(index).copied().unwrap_or(0)))
    }
}

/// On whose account an answer stands that belongs to no session.
///
/// A principal has one, wherever it comes from. Those who don't say who they are have one for each network that they come from:
/// so nobody pushes out the answers of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerAccount {
    owner: [u8; OWNER_BYTES],
    network: Option<ClientNetwork>,
}

impl AnswerAccount {
    /// The account of a principal that comes from a network, if that is known.
    #[must_use]
    pub fn new(principal: &Principal, network: Option<ClientNetwork>) -> Self {
        Self { owner: owner_of(principal), network: network.filter(|_| principal.id().is_none()) }
    }

    /// The account of an answer of which there is nothing but its name. Where it came from is not known any more.
    #[must_use]
    pub fn of(scope: &AnswerScope) -> Self {
        Self { owner: std::array::from_fn(|index| scope.0[index]), network: None }
    }
}

/// What the names of all answers of a principal begin with.
pub(super) fn owner_of(principal: &Principal) -> [u8; OWNER_BYTES] {
    let mut hash = Sha256::new();
    hash.update(if principal.id().is_some() { b"principal" } else { b"anonymous" });
    hash.update(principal.id().unwrap_or_default().as_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    std::array::from_fn(|index| hash[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> ClientNetwork {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn a_network_is_what_one_client_has_for_itself() {
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
        assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:1:ffff::2"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
        assert_ne!(network("0.0.0.0"), network("::"));
    }

    #[test]
    fn who_says_who_it_is_has_one_account_wherever_it_comes_from() {
        let (here, there) = (Some(network("192.0.2.1")), Some(network("192.0.2.2")));
        let ada = Principal::new("ada");
        assert_eq!(AnswerAccount::new(&ada, here), AnswerAccount::new(&ada, there));
        assert_ne!(AnswerAccount::new(&ada, here), AnswerAccount::new(&Principal::new("carl"), here));
        let nobody = Principal::anonymous();
        assert_ne!(AnswerAccount::new(&nobody, here), AnswerAccount::new(&nobody, there));
        assert_ne!(AnswerAccount::new(&nobody, None), AnswerAccount::new(&Principal::new(""), None));
    }
}
