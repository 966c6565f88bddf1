//! A manifest for people to read.
//!
//! Text that the manifest's author chose is shown in quotes and in printable ASCII: it could pretend to be another line.

use mcbn_manifest::policy::{Container, Demand, Policy};
use mcbn_manifest::{Asked, Cloud, CloudShare, Endpoints, Keeper, Manifest, Rule};
use mcbn_share::Kind;
use std::collections::BTreeMap;
use std::fmt::{self, Display};

pub struct Summary<'a>(pub &'a Manifest);

impl Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary(manifest) = self;
        line(f, "network", manifest.network())?;
        line(f, "digest", manifest.digest())?;
        line(f, "rule", rule(manifest))?;
        line(f, "derivation", manifest.derivation())?;
        if let Some(holders) = manifest.holders() {
            line(f, "group key", holders.group().key())?;
        }
        if let Kind::Reveal(_) = manifest.kind() {
            line(
                f,
                "shares",
                "REVEALED: with enough of them a workload signs alone",
            )?;
        }
        let lease = manifest.lease().as_secs();
        line(f, "lease", format_args!("{lease} seconds"))?;
        for member in manifest.participants() {
            writeln!(f)?;
            line(f, "participant", &member.name)?;
            asked(f, &member.asked)?;
            if let Some(key) = member.signing_key {
                line(f, "  signing key", key)?;
            }
        }
        for workload in manifest.workloads() {
            writeln!(f)?;
            line(f, "workload", &workload.name)?;
            for image in &workload.images {
                demand(f, Demand::ImageDigest, image)?;
            }
            container(f, &workload.container)?;
        }
        writeln!(f, "\nattestation")?;
        policy(f, manifest.policy())?;
        endpoints(f, manifest.endpoints())
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, value: impl Display) -> fmt::Result {
    writeln!(f, "{name:<20}{value}")
}

fn asked(f: &mut fmt::Formatter<'_>, asked: &Asked) -> fmt::Result {
    let Cloud { share, identity } = match asked {
        Asked::Keeper(Keeper { address, pin }) => {
            line(f, "  keeper", address)?;
            return line(f, "  pin", pin);
        }
        Asked::Cloud(cloud) => cloud,
    };
    line(f, "  share", share)?;
    if let CloudShare::Sealed {
        ciphertext, label, ..
    } = share
    {
        line(f, "  ciphertext", ciphertext)?;
        line(f, "  sealed with", format_args!("\"{label}\""))?;
    }
    line(f, "  identity", identity)
}

/// Only those that are not Google's own.
fn endpoints(f: &mut fmt::Formatter<'_>, endpoints: &Endpoints) -> fmt::Result {
    let Endpoints {
        kms,
        secret_manager,
        sts,
    } = endpoints;
    let places = [
        ("  kms", kms),
        ("  secret-manager", secret_manager),
        ("  sts", sts),
    ];
    let elsewhere = places
        .iter()
        .filter_map(|(name, place)| Some((name, place.as_ref()?)));
    for (i, (name, place)) in elsewhere.enumerate() {
        if i == 0 {
            writeln!(f, "\ngoogle-cloud")?;
        }
        line(f, name, place)?;
    }
    Ok(())
}

fn demand(f: &mut fmt::Formatter<'_>, demand: Demand, value: impl Display) -> fmt::Result {
    line(f, &format!("  {demand}"), value)
}

fn rule(manifest: &Manifest) -> String {
    let count = manifest.participants().len();
    match manifest.rule() {
        Rule::Unanimous if count == 1 => "unanimous: the one participant".to_owned(),
        Rule::Unanimous => format!("unanimous: all {count} participants"),
        Rule::Threshold(threshold) => {
            format!("threshold: any {} of {count} participants", threshold.get())
        }
    }
}

fn container(f: &mut fmt::Formatter<'_>, container: &Container) -> fmt::Result {
    let overrides = [
        (Demand::CmdOverride, arguments(&container.cmd_override)),
        (Demand::EnvOverride, variables(&container.env_override)),
    ];
    for (name, value) in overrides {
        let none = value.is_empty();
        demand(f, name, if none { "none" } else { &value })?;
    }
    let args = container.args.as_deref().map(arguments);
    let args = args.unwrap_or_else(|| "not judged: the image and cmd-override fix them".to_owned());
    demand(f, Demand::Args, args)?;
    let env = match &container.env {
        None => "not judged: the image and env-override fix them".to_owned(),
        Some(env) if env.is_empty() => "none but HOSTNAME".to_owned(),
        Some(env) => format!("{} and HOSTNAME", variables(env)),
    };
    demand(f, Demand::Env, env)
}

fn judged(f: &mut fmt::Formatter<'_>, name: Demand, value: Option<String>) -> fmt::Result {
    demand(f, name, value.as_deref().unwrap_or("not judged"))
}

fn arguments(list: &[String]) -> String {
    joined(list.iter().map(|text| quoted(text)), " ")
}

fn variables(map: &BTreeMap<String, String>) -> String {
    let pairs = map.iter();
    joined(
        pairs.map(|(name, value)| format!("{name}={}", quoted(value))),
        " ",
    )
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_default())
}

fn policy(f: &mut fmt::Formatter<'_>, policy: &Policy) -> fmt::Result {
    demand(f, Demand::Token, policy.token)?;
    demand(f, Demand::Software, any_of(&policy.software))?;
    demand(
        f,
        Demand::Debug,
        match policy.insecure_debug {
            true => "ACCEPTED (insecure-debug)",
            false => "refused",
        },
    )?;
    let support = any_of(&policy.support);
    match policy.insecure_debug {
        true => demand(
            f,
            Demand::Support,
            format_args!("{support}, or a debug image"),
        ),
        false => demand(f, Demand::Support, support),
    }?;
    demand(f, Demand::Hardware, any_of(&policy.hardware))?;
    demand(
        f,
        Demand::SecureBoot,
        match policy.insecure_no_secure_boot {
            true => "NOT DEMANDED (insecure-no-secure-boot)",
            false => "demanded",
        },
    )?;
    let least = |version| format!("{version} or newer");
    judged(f, Demand::Swversion, policy.minimum_swversion.map(least))?;
    judged(f, Demand::Project, policy.projects.as_deref().map(any_of))?;
    judged(f, Demand::Zone, policy.zones.as_deref().map(any_of))?;
    let only = |accounts| format!("only {}", any_of(accounts));
    let accounts = policy.service_accounts.as_deref().map(only);
    judged(f, Demand::ServiceAccounts, accounts)?;
    let restart = policy.restart_policy.as_deref().map(any_of);
    judged(f, Demand::RestartPolicy, restart)?;
    let monitoring = policy.memory_monitoring.map(|on| match on {
        true => "memory must be monitored".to_owned(),
        false => "memory must not be monitored".to_owned(),
    });
    judged(f, Demand::Monitoring, monitoring)?;
    match &policy.signatures {
        None => judged(f, Demand::Signatures, None),
        Some(signatures) => {
            let (least, all) = (signatures.threshold, signatures.keys.len());
            demand(
                f,
                Demand::Signatures,
                format_args!("by {least} of {all} keys"),
            )?;
            signatures.keys.iter().try_for_each(|key| line(f, "", key))
        }
    }
}

fn any_of<T: Display>(list: &[T]) -> String {
    joined(list.iter().map(T::to_string), " or ")
}

fn joined(items: impl Iterator<Item = String>, between: &str) -> String {
    items.collect::<Vec<_>>().join(between)
}
