//! `digests.lock`: what a build of this source must give, one line an image.
//!
//! The file has one form only (order, spaces, comment and all), so that its diff shows nothing
//! but a change of what is built. Reading refuses every other form.

use std::collections::BTreeMap;
use std::fmt;

use crate::digest::Digest;
use crate::facts::Facts;
use crate::name::Name;
use crate::spec::Platform;

const HEADER: &str = "\
# What a build of this source gives, bit for bit, one line an image.
# `bazel run //images:update_digests` rewrites it, //images:digests_test holds it.
# manifest: what is pinned and attested; config: the image ID; layer: the files unfolded;
# program: the file that the entrypoint starts; size: the layer as sent, in bytes.
";

/// One image's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    pub platform: String,
    pub manifest: Digest,
    pub config: Digest,
    pub layer: Digest,
    pub program: Digest,
    pub size: u64,
}

impl From<&Facts> for Pin {
    fn from(facts: &Facts) -> Self {
        Self {
            platform: facts.platform.clone(),
            manifest: facts.manifest_digest,
            config: facts.config_digest,
            layer: facts.diff_id,
            program: facts.program_sha256,
            size: facts.compressed_size,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock(pub BTreeMap<Name, Pin>);

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        for (name, pin) in &self.0 {
            let Pin {
                platform,
                manifest,
                config,
                layer,
                program,
                size,
            } = pin;
            writeln!(
                f,
                "{name} {platform} manifest={manifest} config={config} layer={layer} \
                 program={program} size={size}"
            )?;
        }
        Ok(())
    }
}

/// Why a text is not a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Line number, from 1.
    Line(usize, &'static str),
    Form,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number, reason) => write!(f, "line {number}: {reason}"),
            Self::Form => f.write_str("not in the form that it is written in (order or header)"),
        }
    }
}

impl std::error::Error for Malformed {}

impl Lock {
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut pins = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.starts_with('#') {
                continue;
            }
            let (name, pin) = pin(line).map_err(|reason| Malformed::Line(number, reason))?;
            if pins.insert(name, pin).is_some() {
                return Err(Malformed::Line(number, "this image has a line already"));
            }
        }
        let lock = Self(pins);
        if lock.to_string() == text {
            Ok(lock)
        } else {
            Err(Malformed::Form)
        }
    }

    /// Compares what was built with the lock: one verdict for every image that either names.
    pub fn verdicts(&self, built: &BTreeMap<Name, Pin>) -> BTreeMap<Name, Verdict> {
        let names = self.0.keys().chain(built.keys());
        names
            .map(|name| {
                let verdict = match (self.0.get(name), built.get(name)) {
                    (Some(pin), Some(built)) => Verdict::of(pin, built),
                    (None, Some(_)) => Verdict::NotLocked,
                    (_, None) => Verdict::NotBuilt,
                };
                (name.clone(), verdict)
            })
            .collect()
    }
}

fn pin(line: &str) -> Result<(Name, Pin), &'static str> {
    let mut columns = line.split(' ');
    let name = columns
        .next()
        .and_then(|text| text.parse().ok())
        .ok_or("no image name")?;
    let platform = Platform::linux_amd64().to_string();
    if columns.next() != Some(platform.as_str()) {
        return Err("the platform is not linux/amd64");
    }
    let mut value = |key: &str| columns.next()?.strip_prefix(key)?.strip_prefix('=');
    let mut digest = |key: &str, reason| value(key).and_then(|v| v.parse().ok()).ok_or(reason);
    let pin = Pin {
        platform,
        manifest: digest("manifest", "no manifest=sha256:… as third column")?,
        config: digest("config", "no config=sha256:… as fourth column")?,
        layer: digest("layer", "no layer=sha256:… as fifth column")?,
        program: digest("program", "no program=sha256:… as sixth column")?,
        size: value("size")
            .and_then(|v| v.parse().ok())
            .ok_or("no size=… as seventh column")?,
    };
    if columns.next().is_some() {
        return Err("more columns than seven");
    }
    Ok((name, pin))
}

/// How an image and its line compare; the first part that differs, from the inside out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Same,
    /// The program is another one.
    Program,
    /// The program is the same; another file, a path, a mode or an owner is not.
    Files,
    /// Every file is the same; the configuration (ports, labels, entrypoint, user) is not.
    Config,
    /// Files and configuration are the same; compression or annotations are not.
    Manifest,
    /// Every digest is the same, the rest of the line is not: the lock was edited by hand.
    Line,
    NotLocked,
    NotBuilt,
}

impl Verdict {
    fn of(pin: &Pin, built: &Pin) -> Self {
        if pin == built {
            Self::Same
        } else if pin.program != built.program {
            Self::Program
        } else if pin.layer != built.layer {
            Self::Files
        } else if pin.config != built.config {
            Self::Config
        } else if pin.manifest != built.manifest {
            Self::Manifest
        } else {
            Self::Line
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "same as the lock",
            Self::Program => "DIFFERS: the program",
            Self::Files => "DIFFERS: the file list or a file beside the program",
            Self::Config => "DIFFERS: the configuration",
            Self::Manifest => "DIFFERS: the compression or the annotations",
            Self::Line => "DIFFERS: the size in the lock",
            Self::NotLocked => "DIFFERS: built, but not in the lock",
            Self::NotBuilt => "DIFFERS: in the lock, but not built",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample_pin() -> Pin {
        Pin {
            platform: "linux/amd64".to_owned(),
            manifest: Digest::of(b"manifest"),
            config: Digest::of(b"config"),
            layer: Digest::of(b"layer"),
            program: Digest::of(b"program"),
            size: 42,
        }
    }

    fn sample() -> Lock {
        let names = ["psk-server", "psk-client"];
        Lock(
            names
                .map(|name| (name.parse().unwrap(), sample_pin()))
                .into(),
        )
    }

    #[test]
    fn a_lock_reads_back_as_it_was_written() {
        let text = sample().to_string();
        assert_eq!(Lock::parse(&text), Ok(sample()));
        assert_eq!(
            text.lines().filter(|line| !line.starts_with('#')).count(),
            2
        );
        assert!(
            text.lines()
                .nth(4)
                .unwrap()
                .starts_with("psk-client linux/amd64 manifest=sha")
        );
        assert!(text.ends_with(" size=42\n"));
    }

    #[test]
    fn every_other_form_is_refused() {
        let text = sample().to_string();
        let line = |number: usize| text.lines().nth(number - 1).unwrap().to_owned() + "\n";
        let changed = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            Lock::parse(&text.replacen(from, to, 1)).unwrap_err()
        };
        assert_eq!(Lock::parse(""), Err(Malformed::Form));
        assert_eq!(Lock::parse(&format!("{text}{}", line(6))), Err(twice(7)));
        assert_eq!(
            Lock::parse(&format!("{HEADER}{}{}", line(6), line(5))),
            Err(Malformed::Form),
            "not sorted"
        );
        assert_eq!(
            Lock::parse(text.trim_end()),
            Err(Malformed::Form),
            "no final newline"
        );
        assert_eq!(changed("bit for bit", "more or less"), Malformed::Form);
        assert_eq!(
            changed("psk-client ", "psk-client  "),
            at(5, "the platform is not linux/amd64")
        );
        assert_eq!(
            changed("amd64", "arm64"),
            at(5, "the platform is not linux/amd64")
        );
        assert_eq!(changed("psk-client", "PSK"), at(5, "no image name"));
        assert_eq!(
            changed("manifest=sha256:", "manifest=sha256:0"),
            at(5, "no manifest=sha256:… as third column")
        );
        assert_eq!(
            changed("config=sha256:", "config=SHA256:"),
            at(5, "no config=sha256:… as fourth column")
        );
        assert_eq!(
            changed("layer=", "x="),
            at(5, "no layer=sha256:… as fifth column")
        );
        assert_eq!(
            changed("program=", ""),
            at(5, "no program=sha256:… as sixth column")
        );
        assert_eq!(
            changed("size=42", "size=-1"),
            at(5, "no size=… as seventh column")
        );
        assert_eq!(
            changed("size=42", "size=42 "),
            at(5, "more columns than seven")
        );
        assert_eq!(changed("size=42", "size=042"), Malformed::Form);
        assert_eq!(changed("size=42\n", "size=42\n\n"), at(6, "no image name"));
        assert_eq!(changed("size=42\n", "size=42\r\n"), Malformed::Form);
    }

    fn at(number: usize, reason: &'static str) -> Malformed {
        Malformed::Line(number, reason)
    }

    fn twice(number: usize) -> Malformed {
        at(number, "this image has a line already")
    }

    fn verdict(change: impl Fn(&mut Pin)) -> Verdict {
        let mut built = sample().0;
        change(built.get_mut(&"psk-server".parse().unwrap()).unwrap());
        let verdicts = sample().verdicts(&built);
        assert_eq!(verdicts[&"psk-client".parse().unwrap()], Verdict::Same);
        verdicts[&"psk-server".parse().unwrap()]
    }

    #[test]
    fn the_innermost_difference_is_named() {
        let other = Digest::of(b"other");
        assert_eq!(verdict(|_| {}), Verdict::Same);
        assert_eq!(verdict(|pin| pin.manifest = other), Verdict::Manifest);
        assert_eq!(
            verdict(|pin| (pin.manifest, pin.config) = (other, other)),
            Verdict::Config
        );
        assert_eq!(
            verdict(|pin| (pin.manifest, pin.config, pin.layer) = (other, other, other)),
            Verdict::Files
        );
        assert_eq!(
            verdict(|pin| (pin.manifest, pin.layer, pin.program) = (other, other, other)),
            Verdict::Program
        );
        assert_eq!(verdict(|pin| pin.size = 43), Verdict::Line);
    }

    #[test]
    fn an_image_on_one_side_only_differs() {
        let none = BTreeMap::new();
        let verdicts = sample().verdicts(&none);
        assert_eq!(
            verdicts.into_values().collect::<Vec<_>>(),
            [Verdict::NotBuilt; 2]
        );
        let verdicts = Lock(none).verdicts(&sample().0);
        assert_eq!(
            verdicts.into_values().collect::<Vec<_>>(),
            [Verdict::NotLocked; 2]
        );
    }
}
