//! Names to addresses, by the hosts file and DNS.
//!
//! The C library's resolver is not used: it loads plug-ins at run time, which a static program does not have.
//! Answers are not trusted for more than where to knock: whoever answers there still has to show the key.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;

use crate::target::{Name, Target};

/// A resolver with its cache. Clones share it.
#[derive(Clone)]
pub struct Names(TokioResolver);

impl Names {
    /// What these targets need: nothing, the given DNS server, or the system's configuration.
    pub fn needed_by(
        targets: &[Target],
        server: Option<SocketAddr>,
    ) -> Result<Option<Self>, NoResolver> {
        match server {
            _ if !targets.iter().any(Target::needs_lookup) => Ok(None),
            Some(server) => Self::from_server(server).map(Some),
            None => Self::from_system().map(Some),
        }
    }

    /// As `/etc/hosts` and `/etc/resolv.conf` say now.
    pub fn from_system() -> Result<Self, NoResolver> {
        let mut builder = TokioResolver::builder_tokio().map_err(NoResolver)?;
        builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        Ok(Self(builder.build().map_err(NoResolver)?))
    }

    /// Asks one DNS server only, and no hosts file.
    pub fn from_server(address: SocketAddr) -> Result<Self, NoResolver> {
        let connections =
            [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                connection.port = address.port();
                connection
            });
        let server = NameServerConfig::new(address.ip(), true, connections.to_vec());
        let config = ResolverConfig::from_name_servers(vec![server]);
        let mut builder =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.use_hosts_file = ResolveHosts::Never;
        Ok(Self(builder.build().map_err(NoResolver)?))
    }

    /// The addresses of a name, best first.
    pub async fn addresses(&self, name: &Name) -> Result<Vec<IpAddr>, LookupFailed> {
        if name.is_localhost() {
            return Ok(LOCALHOST.to_vec());
        }
        let found = self
            .0
            .lookup_ip(name.as_str())
            .await
            .map_err(LookupFailed::from)?;
        Ok(interleaved(found.iter()))
    }

    /// The hosts that offer a service, in the order in which they are to be tried.
    pub async fn service(
        &self,
        name: &Name,
        random: &mut impl FnMut() -> u64,
    ) -> Result<Vec<Target>, LookupFailed> {
        let found = self
            .0
            .srv_lookup(name.as_str())
            .await
            .map_err(LookupFailed::from)?;
        let records = found
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::SRV(srv) => Some(Record {
                    priority: srv.priority,
                    weight: srv.weight,
                    // The root as a target says that there is no such service here.
                    target: Target::Host {
                        name: srv.target.to_ascii().parse().ok()?,
                        port: srv.port,
                    },
                }),
                _ => None,
            });
        let ordered = ordered(records.collect(), random);
        match ordered.is_empty() {
            true => Err(LookupFailed::NotFound),
            false => Ok(ordered),
        }
    }
}

/// What `localhost` means, whatever a DNS server says.
pub(crate) const LOCALHOST: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

/// IPv6 first and then in turns, so that a machine without one of the two waits for one attempt only
/// ([RFC 8305 §4]).
///
/// [RFC 8305 §4]: https://www.rfc-editor.org/rfc/rfc8305#section-4
fn interleaved(addresses: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
    let (v6, v4): (Vec<IpAddr>, Vec<IpAddr>) = addresses.partition(IpAddr::is_ipv6);
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    let mut all = Vec::new();
    loop {
        let pair = [v6.next(), v4.next()];
        if pair == [None, None] {
            return all;
        }
        all.extend(pair.into_iter().flatten());
    }
}

struct Record {
    priority: u16,
    weight: u16,
    target: Target,
}

/// By priority, and by lot within one, weighted as [RFC 2782] says.
///
/// [RFC 2782]: https://www.rfc-editor.org/rfc/rfc2782
fn ordered(mut records: Vec<Record>, random: &mut impl FnMut() -> u64) -> Vec<Target> {
    // Those of weight 0 come first, so that they have a small chance and not none.
    records.sort_by_key(|record| (record.priority, record.weight));
    let mut all = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let priority = first.priority;
        let peers = records
            .iter()
            .take_while(|record| record.priority == priority);
        let total: u64 = peers.map(|record| u64::from(record.weight)).sum();
        let lot = random() % (total + 1);
        let mut sum = 0;
        let chosen = records.iter().position(|record| {
            sum += u64::from(record.weight);
            sum >= lot
        });
        // The sum reaches the total with the last of this priority, at the latest.
        all.push(records.remove(chosen.unwrap_or_default()).target);
    }
    all
}

/// There is nothing to look names up with.
#[derive(Debug)]
pub struct NoResolver(NetError);

impl fmt::Display for NoResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names cannot be looked up: /etc/resolv.conf is missing or names no server")
    }
}

impl std::error::Error for NoResolver {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// A name gave nothing to connect to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LookupFailed {
    /// There is no such name, or no record of the kind that is needed.
    NotFound,
    /// No DNS server gave an answer.
    NoAnswer,
}

impl From<NetError> for LookupFailed {
    fn from(error: NetError) -> Self {
        match error.is_no_records_found() || error.is_nx_domain() {
            true => Self::NotFound,
            false => Self::NoAnswer,
        }
    }
}

impl fmt::Display for LookupFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "no such name",
            Self::NoAnswer => "no DNS server gave an answer",
        })
    }
}

impl std::error::Error for LookupFailed {}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips<const N: usize>(texts: [&str; N]) -> Vec<IpAddr> {
        texts.map(|text| text.parse().unwrap()).to_vec()
    }

    #[test]
    fn addresses_of_both_families_take_turns() {
        let mixed = ips(["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"]);
        assert_eq!(
            interleaved(mixed.into_iter()),
            ips(["2001:db8::1", "192.0.2.1", "192.0.2.2", "192.0.2.3"])
        );
        assert!(interleaved(std::iter::empty()).is_empty());
    }

    fn record(priority: u16, weight: u16, name: &str) -> Record {
        Record {
            priority,
            weight,
            target: format!("{name}:1").parse().unwrap(),
        }
    }

    fn names(targets: &[Target]) -> String {
        let names = targets.iter().map(|target| match target {
            Target::Host { name, .. } => name.as_str(),
            _ => unreachable!("only hosts go in"),
        });
        names.collect()
    }

    #[test]
    fn services_come_by_priority_and_then_by_weighted_lot() {
        let records = || {
            vec![
                record(20, 0, "z"),
                record(10, 0, "a"),
                record(10, 1, "b"),
                record(10, 3, "c"),
            ]
        };
        let with_lots = |lots: &[u64]| {
            let mut lots = lots.iter().copied().cycle();
            names(&ordered(records(), &mut || lots.next().unwrap()))
        };
        assert_eq!(with_lots(&[0]), "abcz");
        assert_eq!(with_lots(&[1, 0, 0, 0]), "bacz");
        assert_eq!(with_lots(&[4, 1, 0, 0]), "cbaz");
        for lots in 0..100u64 {
            let order = with_lots(&[lots, lots / 3, lots / 7]);
            assert!(order.ends_with('z') && order.len() == 4, "{order}");
        }
    }
}
