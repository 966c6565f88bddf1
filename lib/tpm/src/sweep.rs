//! What users before have left in a TPM that has no resource manager.
//!
//! A program that was killed could not flush its key and its session, and a TPM has room for three of each. Who connects
//! to such a TPM has it alone, so that whatever is loaded now belongs to nobody. tpm2-tools keep what they still need
//! in files of their own (saved contexts), and those stay good.

use std::io;
use std::time::Duration;

use crate::transport::Transport;

/// > tag(2) commandSize(4) commandCode(4)
const NO_SESSIONS: [u8; 2] = [0x80, 0x01];
const GET_CAPABILITY: u32 = 0x17a;
const FLUSH_CONTEXT: u32 = 0x165;
const CAP_HANDLES: u32 = 1;

/// What takes room, as `TPM2_GetCapability` is asked for it: loaded sessions of every type, and transient objects.
///
/// Under 0x03000000 it lists the sessions that are saved: those take none, and belong to whoever holds their contexts.
const KINDS: [(u32, &[u8]); 2] = [
    (0x0200_0000, &[HMAC_SESSION, POLICY_SESSION]),
    (0x8000_0000, &[TRANSIENT]),
];

/// First bytes of handles.
const HMAC_SESSION: u8 = 0x02;
const POLICY_SESSION: u8 = 0x03;
const TRANSIENT: u8 = 0x80;

/// More than any TPM has room for.
const MOST: u32 = 64;

/// Flushes all of it, and gives how much it was.
pub(crate) fn sweep(transport: &mut dyn Transport, limit: Duration) -> io::Result<usize> {
    let mut flushed = 0;
    for (first, types) in KINDS {
        let mut left = handles(transport, first, limit)?;
        left.retain(|handle| types.contains(&handle.to_be_bytes()[0]));
        for handle in &left {
            // One that is gone already, or that this TPM will not give up, is met again when there is no room.
            ask(transport, FLUSH_CONTEXT, &[*handle], limit)?;
        }
        flushed += left.len();
    }
    Ok(flushed)
}

fn handles(transport: &mut dyn Transport, first: u32, limit: Duration) -> io::Result<Vec<u32>> {
    let answer = ask(
        transport,
        GET_CAPABILITY,
        &[CAP_HANDLES, first, MOST],
        limit,
    )?;
    // > responseCode(4), then moreData(1) capability(4) count(4) handle(4)...
    let Some([0, 0, 0, 0, list @ ..]) = answer.get(6..) else {
        // A TPM that does not tell has nothing that could be swept.
        return Ok(Vec::new());
    };
    let list = list.get(9..).unwrap_or_default();
    let (list, _) = list.as_chunks();
    Ok(list.iter().copied().map(u32::from_be_bytes).collect())
}

fn ask(
    transport: &mut dyn Transport,
    code: u32,
    parameters: &[u32],
    limit: Duration,
) -> io::Result<Vec<u8>> {
    let words = [code].into_iter().chain(parameters.iter().copied());
    let body: Vec<u8> = words.flat_map(u32::to_be_bytes).collect();
    let size = u32::try_from(body.len() + 6).expect("a few words");
    let command = [&NO_SESSIONS[..], &size.to_be_bytes(), &body].concat();
    transport.transmit(&command)?;
    // Nothing secret: lists of handles.
    Ok(transport.receive(limit)?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use zeroize::Zeroizing;

    const SOON: Duration = Duration::from_secs(20);

    /// A TPM in which these handles are loaded, and others that must not be touched.
    struct Scripted {
        sessions: Vec<u32>,
        objects: Vec<u32>,
        flushed: Vec<u32>,
        answers: VecDeque<Vec<u8>>,
    }

    fn answer(parameters: &[u8]) -> Vec<u8> {
        let size = u32::try_from(10 + parameters.len()).unwrap();
        [&NO_SESSIONS[..], &size.to_be_bytes(), &[0; 4], parameters].concat()
    }

    fn list(handles: &[u32]) -> Vec<u8> {
        let count = u32::try_from(handles.len()).unwrap();
        let words = [CAP_HANDLES, count]
            .into_iter()
            .chain(handles.iter().copied());
        let words: Vec<u8> = words.flat_map(u32::to_be_bytes).collect();
        answer(&[&[0], &words[..]].concat())
    }

    impl Transport for Scripted {
        fn transmit(&mut self, command: &[u8]) -> io::Result<()> {
            let (words, rest) = command[2..].as_chunks();
            assert!(rest.is_empty());
            let words: Vec<u32> = words.iter().copied().map(u32::from_be_bytes).collect();
            assert_eq!(words[0] as usize, command.len());
            let given = match words[1..] {
                [GET_CAPABILITY, CAP_HANDLES, 0x0200_0000, MOST] => list(&self.sessions),
                [GET_CAPABILITY, CAP_HANDLES, 0x8000_0000, MOST] => list(&self.objects),
                [FLUSH_CONTEXT, handle] => {
                    self.flushed.push(handle);
                    answer(&[])
                }
                ref other => panic!("{other:x?}"),
            };
            self.answers.push_back(given);
            Ok(())
        }

        fn receive(&mut self, _: Duration) -> io::Result<Zeroizing<Vec<u8>>> {
            Ok(Zeroizing::new(self.answers.pop_front().unwrap()))
        }
    }

    fn swept(sessions: &[u32], objects: &[u32]) -> (usize, Vec<u32>) {
        let mut tpm = Scripted {
            sessions: sessions.to_vec(),
            objects: objects.to_vec(),
            flushed: Vec::new(),
            answers: VecDeque::new(),
        };
        let count = sweep(&mut tpm, SOON).unwrap();
        (count, tpm.flushed)
    }

    #[test]
    fn sessions_of_every_type_and_objects_are_flushed() {
        let loaded = [0x0200_0000, 0x0300_0001, 0x8000_0000, 0x8000_0002];
        assert_eq!(swept(&loaded[..2], &loaded[2..]), (4, loaded.to_vec()));
        assert_eq!(swept(&[], &[]), (0, vec![]));
    }

    #[test]
    fn what_stays_in_a_tpm_is_left_there() {
        // Persistent objects, PCRs, NV indices, hierarchies, where a TPM lists them after what it was asked for.
        let others = [0x8100_0001, 0x0000_0001, 0x0100_0001, 0x4000_0001];
        assert_eq!(swept(&others, &others), (0, vec![]));
    }

    /// It gives this to whatever is asked.
    struct Deaf(Vec<u8>);

    impl Transport for Deaf {
        fn transmit(&mut self, _: &[u8]) -> io::Result<()> {
            Ok(())
        }

        fn receive(&mut self, _: Duration) -> io::Result<Zeroizing<Vec<u8>>> {
            Ok(Zeroizing::new(self.0.clone()))
        }
    }

    #[test]
    fn a_tpm_that_does_not_tell_is_left_alone() {
        let refusal = [0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0];
        let cut = &list(&[0x8000_0000])[..19];
        for answer in [&refusal[..], &answer(&[]), &answer(&[0]), cut, &[]] {
            let swept = sweep(&mut Deaf(answer.to_vec()), SOON);
            assert_eq!(swept.unwrap(), 0, "{answer:02x?}");
        }
    }
}
