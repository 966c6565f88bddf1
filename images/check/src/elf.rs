//! Hardening of a static x86-64 program, read from its ELF headers, and what a build must not
//! leave in it.

use std::fmt;

use object::Endianness;
use object::elf;
use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _, SectionHeader as _};

/// One way in which a program is softer, or says more, than it must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weakness {
    NotElf(String),
    Machine,
    /// Not loadable at a random address.
    FixedAddress,
    /// A loader from outside the image would run first.
    Interpreter(String),
    SharedLibrary,
    /// The stack is executable, or nothing says that it is not.
    ExecutableStack,
    WritableCode,
    /// Relocated data stays writable (no GNU_RELRO segment).
    WritableRelocations,
    /// Functions are bound when first called, so that the table of them stays writable.
    LazyBinding,
    TextRelocations,
    /// RPATH or RUNPATH: libraries would be searched in a folder of the build.
    SearchPath,
    /// A section of symbols or debugging information.
    Section(String),
    /// A path of the machine or sandbox that built it: it makes the bytes depend on the place.
    BuildPath {
        offset: usize,
        shown: String,
    },
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf(reason) => write!(f, "not a readable 64-bit ELF file: {reason}"),
            Self::Machine => f.write_str("not for little-endian x86-64"),
            Self::FixedAddress => f.write_str("not position independent (no static-pie)"),
            Self::Interpreter(path) => write!(f, "needs the loader {path}, it should be static"),
            Self::SharedLibrary => f.write_str("needs a shared library, it should be static"),
            Self::ExecutableStack => f.write_str("the stack is not marked as not executable"),
            Self::WritableCode => f.write_str("a segment is writable and executable"),
            Self::WritableRelocations => f.write_str("no RELRO segment"),
            Self::LazyBinding => f.write_str("not bound at start (no BIND_NOW)"),
            Self::TextRelocations => f.write_str("relocations in code"),
            Self::SearchPath => f.write_str("a library search path (RPATH or RUNPATH)"),
            Self::Section(name) => write!(f, "section {name} should have been stripped"),
            Self::BuildPath { offset, shown } => {
                write!(f, "a path of the build at byte {offset}: {shown:?}")
            }
        }
    }
}

/// Pieces of paths that only a build machine has. `/rustc/<commit>/` and `external/<crate>/` are
/// not among them: they are the same on every machine.
const BUILD_PATHS: &[&str] = &[
    "/home/",
    "/root/",
    "/tmp/",
    "/build/",
    "/execroot/",
    "/sandbox/",
    "bazel-out",
    ".cache/bazel",
    ".cargo/",
    ".rustup/",
];

/// Every weakness of `program`; none is what an image needs.
pub fn weaknesses(program: &[u8]) -> Vec<Weakness> {
    let mut found = match header_weaknesses(program) {
        Ok(found) => found,
        Err(error) => return vec![Weakness::NotElf(error.to_string())],
    };
    for piece in BUILD_PATHS {
        if let Some(offset) = find(program, piece.as_bytes()) {
            found.push(Weakness::BuildPath {
                offset,
                shown: text_around(program, offset),
            });
        }
    }
    found
}

fn header_weaknesses(program: &[u8]) -> object::read::Result<Vec<Weakness>> {
    let header = elf::FileHeader64::<Endianness>::parse(program)?;
    let endian = header.endian()?;
    let mut found = Vec::new();
    if endian != Endianness::Little || header.e_machine(endian) != elf::EM_X86_64 {
        found.push(Weakness::Machine);
    }
    let (mut stack, mut relro) = (false, false);
    let (mut pie, mut now) = (false, false);
    for segment in header.program_headers(endian, program)? {
        let flags = segment.p_flags(endian);
        let kind = segment.p_type(endian);
        if kind == elf::PT_GNU_STACK {
            stack = !flags.contains(elf::PF_X);
        }
        relro |= kind == elf::PT_GNU_RELRO;
        if kind == elf::PT_LOAD && flags.contains(elf::PF_W) && flags.contains(elf::PF_X) {
            found.push(Weakness::WritableCode);
        }
        if let Some(path) = segment.interpreter(endian, program)? {
            let path = String::from_utf8_lossy(path).into_owned();
            found.push(Weakness::Interpreter(path));
        }
        for entry in segment.dynamic(endian, program)?.unwrap_or_default() {
            let (tag, value) = (entry.tag(endian), entry.val(endian));
            let has = |flag: u64| value & flag != 0;
            match tag {
                elf::DT_NEEDED => found.push(Weakness::SharedLibrary),
                elf::DT_RPATH | elf::DT_RUNPATH => found.push(Weakness::SearchPath),
                elf::DT_TEXTREL => found.push(Weakness::TextRelocations),
                elf::DT_BIND_NOW => now = true,
                elf::DT_FLAGS => {
                    now |= has(elf::DF_BIND_NOW.0);
                    if has(elf::DF_TEXTREL.0) {
                        found.push(Weakness::TextRelocations);
                    }
                }
                elf::DT_FLAGS_1 => {
                    now |= has(elf::DF_1_NOW.0);
                    pie |= has(elf::DF_1_PIE.0);
                }
                _ => {}
            }
        }
    }
    for (holds, weakness) in [
        (
            pie && header.e_type(endian) == elf::ET_DYN,
            Weakness::FixedAddress,
        ),
        (stack, Weakness::ExecutableStack),
        (relro, Weakness::WritableRelocations),
        (now, Weakness::LazyBinding),
    ] {
        if !holds {
            found.push(weakness);
        }
    }
    let sections = header.sections(endian, program)?;
    for section in sections.iter() {
        let name = String::from_utf8_lossy(sections.section_name(endian, section)?);
        if section.sh_type(endian) == elf::SHT_SYMTAB || name.starts_with(".debug") {
            found.push(Weakness::Section(name.into_owned()));
        }
    }
    Ok(found)
}

pub(crate) fn find(bytes: &[u8], piece: &[u8]) -> Option<usize> {
    bytes
        .windows(piece.len())
        .position(|window| window == piece)
}

/// The printable text that stands around an offset, at most 80 bytes to either side.
fn text_around(bytes: &[u8], offset: usize) -> String {
    let printable = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let before = bytes[..offset]
        .iter()
        .rev()
        .take(80)
        .take_while(|b| printable(b))
        .count();
    let after = bytes[offset..]
        .iter()
        .take(80)
        .take_while(|b| printable(b))
        .count();
    String::from_utf8_lossy(&bytes[offset - before..offset + after]).into_owned()
}

/// A small program made by hand, for the tests of this crate.
#[cfg(test)]
pub(crate) mod sample {
    use super::*;

    pub const R: u32 = elf::PF_R.0;
    pub const W: u32 = elf::PF_W.0;
    pub const X: u32 = elf::PF_X.0;

    /// The headers of a program, as much of them as a check reads.
    pub struct Program {
        pub kind: u16,
        pub machine: u16,
        pub segments: Vec<(u32, u32, Vec<u8>)>,
        pub dynamic: Vec<(i64, u64)>,
        pub sections: Vec<(&'static str, u32)>,
        pub content: &'static str,
    }

    impl Program {
        pub fn hardened() -> Self {
            Self {
                kind: elf::ET_DYN.0,
                machine: elf::EM_X86_64.0,
                segments: vec![
                    (elf::PT_LOAD.0, R | X, vec![0xc3]),
                    (elf::PT_LOAD.0, R | W, vec![0]),
                    (elf::PT_GNU_STACK.0, R | W, Vec::new()),
                    (elf::PT_GNU_RELRO.0, R, vec![0]),
                ],
                dynamic: vec![
                    (elf::DT_FLAGS.0, elf::DF_BIND_NOW.0),
                    (elf::DT_FLAGS_1.0, elf::DF_1_NOW.0 | elf::DF_1_PIE.0),
                    (elf::DT_NULL.0, 0),
                ],
                sections: vec![("", elf::SHT_NULL.0), (".text", elf::SHT_PROGBITS.0)],
                content: "/rustc/0123/library/core/src/lib.rs",
            }
        }

        /// File header, content, segments' content, program headers, names, section headers.
        pub fn bytes(&self) -> Vec<u8> {
            let mut segments = self.segments.clone();
            let dynamic = self
                .dynamic
                .iter()
                .flat_map(|(tag, value)| [tag.to_le_bytes(), value.to_le_bytes()].concat())
                .collect();
            segments.push((elf::PT_DYNAMIC.0, R | W, dynamic));

            let mut body = self.content.as_bytes().to_vec();
            let mut headers = Vec::new();
            for (kind, flags, content) in &segments {
                let offset = 64 + body.len() as u64;
                let size = content.len() as u64;
                headers.extend(kind.to_le_bytes());
                headers.extend(flags.to_le_bytes());
                for word in [offset, offset, offset, size, size, 1] {
                    headers.extend(word.to_le_bytes());
                }
                body.extend(content);
            }
            let segments_at = 64 + body.len() as u64;
            body.extend(headers);

            let (names_at, mut names) = (64 + body.len() as u64, Vec::new());
            let mut sections = self.sections.clone();
            sections.push((".shstrtab", elf::SHT_STRTAB.0));
            let mut headers = Vec::new();
            let names_size: usize = sections.iter().map(|(name, _)| name.len() + 1).sum();
            for (name, kind) in &sections {
                headers.extend((names.len() as u32).to_le_bytes());
                headers.extend(kind.to_le_bytes());
                for word in [0, 0, names_at, names_size as u64, 0, 1, 0] {
                    headers.extend(word.to_le_bytes());
                }
                names.extend(name.as_bytes());
                names.push(0);
            }
            body.extend(names);
            let sections_at = 64 + body.len() as u64;
            body.extend(headers);

            let mut file = b"\x7fELF\x02\x01\x01".to_vec();
            file.resize(16, 0);
            file.extend(self.kind.to_le_bytes());
            file.extend(self.machine.to_le_bytes());
            file.extend(1_u32.to_le_bytes());
            for word in [0, segments_at, sections_at] {
                file.extend(word.to_le_bytes());
            }
            file.extend(0_u32.to_le_bytes());
            let (segments, sections) = (segments.len() as u16, sections.len() as u16);
            for half in [64, 56, segments, 64, sections, sections - 1] {
                file.extend(half.to_le_bytes());
            }
            [file, body].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sample::{Program, R, W, X};
    use super::*;

    fn changed(change: impl FnOnce(&mut Program)) -> Vec<Weakness> {
        let mut program = Program::hardened();
        change(&mut program);
        weaknesses(&program.bytes())
    }

    #[test]
    fn a_hardened_static_pie_passes() {
        assert_eq!(changed(|_| {}), []);
    }

    #[test]
    fn an_executable_stack_is_refused() {
        assert_eq!(
            changed(|p| p.segments[2].1 |= X),
            [Weakness::ExecutableStack]
        );
        assert_eq!(
            changed(|p| drop(p.segments.remove(2))),
            [Weakness::ExecutableStack]
        );
    }

    #[test]
    fn a_fixed_address_is_refused() {
        assert_eq!(
            changed(|p| p.kind = elf::ET_EXEC.0),
            [Weakness::FixedAddress]
        );
        // A shared library is position independent too; the flag tells a program.
        let now = elf::DF_1_NOW.0;
        assert_eq!(changed(|p| p.dynamic[1].1 = now), [Weakness::FixedAddress]);
    }

    #[test]
    fn writable_relocations_and_lazy_binding_are_refused() {
        assert_eq!(
            changed(|p| drop(p.segments.remove(3))),
            [Weakness::WritableRelocations]
        );
        let lazy = |p: &mut Program| {
            p.dynamic[0].1 = 0;
            p.dynamic[1].1 = elf::DF_1_PIE.0;
        };
        assert_eq!(changed(lazy), [Weakness::LazyBinding]);
    }

    #[test]
    fn writable_code_and_relocated_code_are_refused() {
        assert_eq!(changed(|p| p.segments[0].1 |= W), [Weakness::WritableCode]);
        let tag = |p: &mut Program| p.dynamic.insert(0, (elf::DT_TEXTREL.0, 0));
        assert_eq!(changed(tag), [Weakness::TextRelocations]);
        let flag = |p: &mut Program| p.dynamic[0].1 |= elf::DF_TEXTREL.0;
        assert_eq!(changed(flag), [Weakness::TextRelocations]);
    }

    #[test]
    fn what_needs_a_loader_or_a_library_is_refused() {
        let loader = b"/lib64/ld-linux-x86-64.so.2\0".to_vec();
        assert_eq!(
            changed(|p| p.segments.push((elf::PT_INTERP.0, R, loader))),
            [Weakness::Interpreter(
                "/lib64/ld-linux-x86-64.so.2".to_owned()
            )]
        );
        let library = |p: &mut Program| p.dynamic.insert(0, (elf::DT_NEEDED.0, 1));
        assert_eq!(changed(library), [Weakness::SharedLibrary]);
    }

    #[test]
    fn a_search_path_is_refused() {
        for tag in [elf::DT_RPATH, elf::DT_RUNPATH] {
            let path = |p: &mut Program| p.dynamic.insert(0, (tag.0, 1));
            assert_eq!(changed(path), [Weakness::SearchPath]);
        }
    }

    #[test]
    fn symbols_and_debugging_information_are_refused() {
        for (name, kind) in [
            (".symtab", elf::SHT_SYMTAB.0),
            (".debug_info", elf::SHT_PROGBITS.0),
        ] {
            let section = |p: &mut Program| p.sections.push((name, kind));
            assert_eq!(changed(section), [Weakness::Section(name.to_owned())]);
        }
    }

    #[test]
    fn a_path_of_the_build_is_refused_and_shown() {
        let shown = "/home/alice/mcbn/src/main.rs";
        assert_eq!(
            changed(|p| p.content = "\0/home/alice/mcbn/src/main.rs\0"),
            [Weakness::BuildPath {
                offset: 65,
                shown: shown.to_owned()
            }]
        );
    }

    #[test]
    fn another_machine_and_another_format_are_refused() {
        assert_eq!(
            changed(|p| p.machine = elf::EM_AARCH64.0),
            [Weakness::Machine]
        );
        for other in [&b"#!/bin/sh\n"[..], b"", b"\x7fELF"] {
            assert!(matches!(weaknesses(other)[..], [Weakness::NotElf(_)]));
        }
    }
}
