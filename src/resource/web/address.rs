//! Which network addresses the service may be made to connect to.
//!
//! A service that fetches what others tell it is a way into the networks that it stands in. So an origin reaches public addresses
//! only, unless its operator has said that it is a private one, and some addresses never.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who is behind an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Anybody on the Internet.
    Public,
    /// This machine, or the network of whoever runs it.
    Private,
    /// The same wire; the metadata services of clouds are here.
    LinkLocal,
    /// Nobody who could answer HTTP: multicast, unspecified, reserved, set aside for documentation.
    Nobody,
}

/// Whether an origin may reach an address.
///
/// Link-local ones count only where the operator has written the address itself: a name that leads there was made to.
pub(super) fn is_admitted(address: IpAddr, is_private_origin: bool, is_literal: bool) -> bool {
    match reach(address) {
        Reach::Public => true,
        Reach::Private => is_private_origin,
        Reach::LinkLocal => is_private_origin && is_literal,
        Reach::Nobody => false,
    }
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

/// The IANA registry of special-purpose addresses of IPv4 (RFC 6890).
fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [10 | 127, ..] | [192, 168, ..] => Reach::Private,
        [172, second, ..] if (16..32).contains(&second) => Reach::Private,
        // Shared by the customers of a provider (RFC 6598); networks for benchmarks (RFC 2544).
        [100, second, ..] if (64..128).contains(&second) => Reach::Private,
        [198, 18 | 19, ..] => Reach::Private,
        [169, 254, ..] => Reach::LinkLocal,
        // This network, protocol assignments, documentation, relays of 6to4.
        [0, ..] | [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] => Reach::Nobody,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => Reach::Nobody,
        _ => Reach::Public,
    }
}

/// The same of IPv6. What stands for an address of IPv4 is as that is.
fn reach_v6(address: Ipv6Addr) -> Reach {
    let embedded = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        reach_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Reach::Nobody,
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private,
        // Mapped; translated (RFC 6052); 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            embedded(high, low)
        }
        // Translated in a network of one's own (RFC 8215).
        [0x64, 0xff9b, 1, ..] => Reach::Private,
        // Protocol assignments (Teredo among them), documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => Reach::Nobody,
        [0x3fff, second, ..] if second < 0x1000 => Reach::Nobody,
        [first, ..] if first & 0xe000 == 0x2000 => Reach::Public,
        // Unique local; site-local, which nobody should use any more.
        [first, ..] if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 => Reach::Private,
        [first, ..] if first & 0xffc0 == 0xfe80 => Reach::LinkLocal,
        _ => Reach::Nobody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(addresses: &[&str], wanted: Reach) {
        for address in addresses {
            assert_eq!(reach(address.parse().unwrap()), wanted, "{address}");
        }
    }

    #[test]
    fn every_special_network_is_known_to_its_ends() {
        all(
            &["1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"],
            Reach::Public,
        );
        all(&["128.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0"], Reach::Public);
        all(&["169.253.255.255", "169.255.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255"], Reach::Public);
        all(&["10.0.0.0", "10.255.255.255", "127.0.0.1", "127.255.255.255", "192.168.0.0"], Reach::Private);
        all(&["172.16.0.0", "172.31.255.255", "100.64.0.0", "100.127.255.255", "198.19.255.255"], Reach::Private);
        all(&["169.254.0.0", "169.254.169.254", "169.254.255.255"], Reach::LinkLocal);
        all(&["0.0.0.0", "0.255.255.255", "192.0.0.1", "192.0.2.1", "198.51.100.7", "203.0.113.9"], Reach::Nobody);
        all(&["192.88.99.1", "224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255"], Reach::Nobody);
    }

    #[test]
    fn every_special_network_of_ipv6_is_known_as_well() {
        all(&["2606:4700::1111", "2a00:1450:4001::1", "2001:200::1", "3fff:1000::1"], Reach::Public);
        all(&["::1", "fc00::1", "fdff::1", "fec0::1", "64:ff9b:1::1"], Reach::Private);
        all(&["fe80::1", "febf::1"], Reach::LinkLocal);
        all(&["::", "ff02::1", "100::1", "2001::1", "2001:db8::1", "3fff::1", "4000::1", "::2"], Reach::Nobody);
    }

    #[test]
    fn an_address_of_ipv4_in_one_of_ipv6_is_what_it_is_alone() {
        all(&["::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "2002:c0a8:1::1"], Reach::Private);
        all(&["::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::"], Reach::LinkLocal);
        all(&["::ffff:0.0.0.0", "64:ff9b::224.0.0.1"], Reach::Nobody);
        all(&["::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::1"], Reach::Public);
    }

    #[test]
    fn a_private_origin_reaches_more_but_not_everything() {
        let admitted = |address: &str, private, literal| is_admitted(address.parse().unwrap(), private, literal);
        assert!(admitted("1.1.1.1", false, false) && admitted("1.1.1.1", true, true));
        assert!(!admitted("10.0.0.1", false, false) && admitted("10.0.0.1", true, false));
        assert!(!admitted("169.254.169.254", true, false) && admitted("169.254.169.254", true, true));
        assert!(!admitted("0.0.0.0", true, true) && !admitted("ff02::1", true, true));
    }
}
