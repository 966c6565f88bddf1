//! What upstream's C library asks of whoever brings the way to the TPM: its own loader of such ways (TCTIs), which looks
//! for plug-ins, is left out, and its functions stand here.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::c_char;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tss_esapi::Context;
use tss_esapi::tcti_ldr::{DeviceConfig, TctiNameConf};
// Upstream's bindings have `u64` where C has `size_t`.
use tss_esapi::tss2_esys::{
    TSS2_BASE_RC_BAD_REFERENCE, TSS2_BASE_RC_BAD_SEQUENCE, TSS2_BASE_RC_BAD_VALUE,
    TSS2_BASE_RC_INSUFFICIENT_BUFFER, TSS2_BASE_RC_IO_ERROR, TSS2_BASE_RC_NOT_IMPLEMENTED, TSS2_RC,
    TSS2_TCTI_CONTEXT, TSS2_TCTI_CONTEXT_COMMON_V1, TSS2_TCTI_CONTEXT_COMMON_V2, TSS2_TCTI_INFO,
};
use zeroize::Zeroizing;

use crate::link::Link;
use crate::transport::{LARGEST, Transport};

/// What a context is made with.
struct Way {
    transport: Box<dyn Transport>,
    link: Arc<Link>,
    limit: Duration,
}

thread_local! {
    /// Between [`context`] and the loader, which upstream calls with a text alone.
    static NEXT: Cell<Option<Way>> = const { Cell::new(None) };
}

/// A context over this transport, which waits for each response for `limit` at most. What passes is noted in `link`.
pub(crate) fn context(
    transport: Box<dyn Transport>,
    link: Arc<Link>,
    limit: Duration,
) -> Result<Context, tss_esapi::Error> {
    NEXT.set(Some(Way {
        transport,
        link,
        limit,
    }));
    // The text is not looked at.
    let context = Context::new(TctiNameConf::Device(DeviceConfig::default()));
    let left = NEXT.take();
    assert!(left.is_none(), "another loader of TCTIs is linked");
    context
}

/// Upstream sees the first field, a table of functions; the rest is ours.
#[repr(C)]
struct Tcti {
    common: TSS2_TCTI_CONTEXT_COMMON_V2,
    way: Way,
    sent: Instant,
    /// Read, and not asked for yet in full.
    response: Option<Zeroizing<Vec<u8>>>,
}

/// ASCII `mcbn tpm`; upstream's have numbers of their own.
const MAGIC: u64 = u64::from_be_bytes(*b"mcbn tpm");

/// `TSS2_TCTI_RC_LAYER` of `tss2_common.h`.
const fn fault(code: TSS2_RC) -> TSS2_RC {
    (10 << 16) | code
}
const OK: TSS2_RC = 0;
const NOT_IMPLEMENTED: TSS2_RC = fault(TSS2_BASE_RC_NOT_IMPLEMENTED);
const BAD_REFERENCE: TSS2_RC = fault(TSS2_BASE_RC_BAD_REFERENCE);
const INSUFFICIENT_BUFFER: TSS2_RC = fault(TSS2_BASE_RC_INSUFFICIENT_BUFFER);
const BAD_SEQUENCE: TSS2_RC = fault(TSS2_BASE_RC_BAD_SEQUENCE);
const IO_ERROR: TSS2_RC = fault(TSS2_BASE_RC_IO_ERROR);
const BAD_VALUE: TSS2_RC = fault(TSS2_BASE_RC_BAD_VALUE);

unsafe extern "C" fn transmit(
    context: *mut TSS2_TCTI_CONTEXT,
    size: u64,
    command: *const u8,
) -> TSS2_RC {
    if context.is_null() || command.is_null() {
        return BAD_REFERENCE;
    }
    let Some(size) = usize::try_from(size).ok().filter(|size| *size <= LARGEST) else {
        return BAD_VALUE;
    };
    // SAFETY: upstream gives back the context that `Tss2_TctiLdr_Initialize` gave it, on one thread at a time, and
    // `size` bytes of command that live as long as the call.
    let (tcti, command) = unsafe {
        (
            &mut *context.cast::<Tcti>(),
            std::slice::from_raw_parts(command, size),
        )
    };
    if tcti.way.link.is_dead() {
        return IO_ERROR;
    }
    tcti.response = None;
    tcti.sent = Instant::now();
    match tcti.way.transport.transmit(command) {
        Ok(()) => OK,
        Err(error) => {
            tcti.way.link.broke(error);
            IO_ERROR
        }
    }
}

unsafe extern "C" fn receive(
    context: *mut TSS2_TCTI_CONTEXT,
    size: *mut u64,
    out: *mut u8,
    _timeout: i32,
) -> TSS2_RC {
    if context.is_null() || size.is_null() {
        return BAD_REFERENCE;
    }
    // SAFETY: as above; `size` is a place of upstream's, and nothing else refers to it during the call.
    let (tcti, size) = unsafe { (&mut *context.cast::<Tcti>(), &mut *size) };
    let response = match tcti.response.take() {
        Some(response) => response,
        None => match tcti.way.transport.receive(tcti.way.limit) {
            Ok(response) => {
                tcti.way.link.answered(tcti.sent.elapsed());
                response
            }
            Err(error) => {
                tcti.way.link.broke(error);
                return IO_ERROR;
            }
        },
    };
    let length = response.len() as u64;
    let room = std::mem::replace(size, length);
    if out.is_null() {
        tcti.response = Some(response);
        return OK;
    }
    if room < length {
        tcti.response = Some(response);
        return INSUFFICIENT_BUFFER;
    }
    // SAFETY: `out` has `room` bytes, at least as many as the response, and is no part of it.
    unsafe { std::ptr::copy_nonoverlapping(response.as_ptr(), out, response.len()) };
    OK
}

unsafe extern "C" fn finalize(_: *mut TSS2_TCTI_CONTEXT) {
    // `Tss2_TctiLdr_Finalize` does it.
}

unsafe extern "C" fn cancel(_: *mut TSS2_TCTI_CONTEXT) -> TSS2_RC {
    NOT_IMPLEMENTED
}

unsafe extern "C" fn set_locality(_: *mut TSS2_TCTI_CONTEXT, _: u8) -> TSS2_RC {
    NOT_IMPLEMENTED
}

/// The way to the TPM that [`context`] has left for it.
///
/// # Safety
///
/// `context` is null or a place for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Tss2_TctiLdr_Initialize(
    _name: *const c_char,
    context: *mut *mut TSS2_TCTI_CONTEXT,
) -> TSS2_RC {
    if context.is_null() {
        return BAD_REFERENCE;
    }
    let Some(way) = NEXT.take() else {
        return BAD_SEQUENCE;
    };
    let tcti = Box::new(Tcti {
        common: TSS2_TCTI_CONTEXT_COMMON_V2 {
            v1: TSS2_TCTI_CONTEXT_COMMON_V1 {
                magic: MAGIC,
                version: 2,
                transmit: Some(transmit),
                receive: Some(receive),
                finalize: Some(finalize),
                cancel: Some(cancel),
                getPollHandles: None,
                setLocality: Some(set_locality),
            },
            makeSticky: None,
        },
        way,
        sent: Instant::now(),
        response: None,
    });
    // SAFETY: the caller vouches for the place. The pointer comes back to `Tss2_TctiLdr_Finalize`.
    unsafe { *context = Box::into_raw(tcti).cast() };
    OK
}

/// The same: there are no names to choose from.
///
/// # Safety
///
/// That of [`Tss2_TctiLdr_Initialize`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Tss2_TctiLdr_Initialize_Ex(
    name: *const c_char,
    _conf: *const c_char,
    context: *mut *mut TSS2_TCTI_CONTEXT,
) -> TSS2_RC {
    // SAFETY: the caller vouches for the same.
    unsafe { Tss2_TctiLdr_Initialize(name, context) }
}

/// Ends what [`Tss2_TctiLdr_Initialize`] began.
///
/// # Safety
///
/// `context` is null, or the place of a pointer that is null or came from there and was not ended yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Tss2_TctiLdr_Finalize(context: *mut *mut TSS2_TCTI_CONTEXT) {
    if context.is_null() {
        return;
    }
    // SAFETY: the caller vouches for the place and the pointer in it, which came from a box and is taken out of it once.
    unsafe {
        let tcti = std::mem::replace(&mut *context, std::ptr::null_mut());
        if !tcti.is_null() {
            drop(Box::from_raw(tcti.cast::<Tcti>()));
        }
    }
}

/// There is nothing to tell of ways that are not plug-ins.
#[unsafe(no_mangle)]
pub extern "C" fn Tss2_TctiLdr_GetInfo(
    _name: *const c_char,
    _info: *mut *mut TSS2_TCTI_INFO,
) -> TSS2_RC {
    NOT_IMPLEMENTED
}

#[unsafe(no_mangle)]
pub extern "C" fn Tss2_TctiLdr_FreeInfo(_info: *mut *mut TSS2_TCTI_INFO) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::ptr::{null, null_mut};
    use std::sync::Mutex;

    const SOON: Duration = Duration::from_secs(20);

    /// It answers each command with itself, until it hears of the end.
    #[derive(Clone, Default)]
    struct Echo(Arc<Mutex<Vec<Vec<u8>>>>);

    const END: &[u8] = b"the end";

    impl Transport for Echo {
        fn transmit(&mut self, command: &[u8]) -> io::Result<()> {
            self.0.lock().unwrap().push(command.to_vec());
            Ok(())
        }

        fn receive(&mut self, limit: Duration) -> io::Result<Zeroizing<Vec<u8>>> {
            assert_eq!(limit, SOON);
            match self.0.lock().unwrap().last() {
                Some(last) if last != END => Ok(Zeroizing::new(last.clone())),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }

    /// What upstream does with a context.
    struct Upstream(*mut TSS2_TCTI_CONTEXT);

    impl Upstream {
        fn open(transport: Echo) -> (Self, Arc<Link>) {
            let link = Arc::<Link>::default();
            NEXT.set(Some(Way {
                transport: Box::new(transport),
                link: Arc::clone(&link),
                limit: SOON,
            }));
            let mut context = null_mut();
            // SAFETY: it is the place of a pointer.
            let code = unsafe { Tss2_TctiLdr_Initialize(null(), &mut context) };
            assert_eq!(code, OK);
            (Self(context), link)
        }

        fn table(&self) -> TSS2_TCTI_CONTEXT_COMMON_V1 {
            // SAFETY: the table is the first field, and nothing else refers to it meanwhile.
            unsafe { (*self.0.cast::<TSS2_TCTI_CONTEXT_COMMON_V2>()).v1 }
        }

        fn transmit(&self, command: &[u8]) -> TSS2_RC {
            let transmit = self.table().transmit.unwrap();
            // SAFETY: the context is open, and the command as long as is said.
            unsafe { transmit(self.0, command.len() as u64, command.as_ptr()) }
        }

        /// With this much room: the code, the size that it says, and what it wrote.
        fn receive(&self, room: Option<usize>) -> (TSS2_RC, usize, Vec<u8>) {
            let mut out = vec![0; room.unwrap_or_default()];
            let mut size = out.len() as u64;
            let place = room.map_or(null_mut(), |_| out.as_mut_ptr());
            let receive = self.table().receive.unwrap();
            // SAFETY: the context is open, and there is as much room as is said.
            let code = unsafe { receive(self.0, &mut size, place, -1) };
            (code, usize::try_from(size).unwrap(), out)
        }
    }

    impl Drop for Upstream {
        fn drop(&mut self) {
            // SAFETY: it came from `Tss2_TctiLdr_Initialize`; the second time it is null.
            unsafe {
                Tss2_TctiLdr_Finalize(&mut self.0);
                assert!(self.0.is_null());
                Tss2_TctiLdr_Finalize(&mut self.0);
            }
        }
    }

    #[test]
    fn a_response_waits_until_there_is_room_and_is_given_once() {
        let echo = Echo::default();
        let (upstream, link) = Upstream::open(echo.clone());
        assert_eq!(upstream.table().magic, MAGIC);
        assert_eq!(upstream.transmit(b"a command"), OK);
        assert_eq!(upstream.receive(None), (OK, 9, vec![]));
        assert_eq!(
            upstream.receive(Some(8)),
            (INSUFFICIENT_BUFFER, 9, vec![0; 8])
        );
        assert_eq!(upstream.receive(Some(10)), (OK, 9, b"a command\0".to_vec()));
        assert!(link.take_busy() > Duration::ZERO);
        // One that nobody asked for in full is not that of the next command.
        assert_eq!(upstream.transmit(b"another"), OK);
        assert_eq!(upstream.receive(None), (OK, 7, vec![]));
        assert_eq!(upstream.transmit(b"and one more"), OK);
        assert_eq!(
            upstream.receive(Some(12)),
            (OK, 12, b"and one more".to_vec())
        );
        assert_eq!(echo.0.lock().unwrap().len(), 3);
        assert!(link.take_fault().is_none());
    }

    #[test]
    fn a_connection_that_broke_is_not_used_again() {
        let echo = Echo::default();
        let (upstream, link) = Upstream::open(echo.clone());
        assert_eq!(upstream.transmit(END), OK);
        assert_eq!(upstream.receive(Some(9)), (IO_ERROR, 9, vec![0; 9]));
        let fault = link.take_fault().unwrap();
        assert_eq!(fault.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(upstream.transmit(b"a command"), IO_ERROR);
        assert!(link.is_dead() && link.take_fault().is_none());
        assert_eq!(*echo.0.lock().unwrap(), [END]);
    }

    #[test]
    fn what_upstream_never_gives_is_refused() {
        let (upstream, _) = Upstream::open(Echo::default());
        assert_eq!(upstream.transmit(&[0; LARGEST]), OK);
        assert_eq!(upstream.transmit(&[0; LARGEST + 1]), BAD_VALUE);
        let mut size = 0;
        // SAFETY: each is null or a place.
        unsafe {
            assert_eq!(transmit(null_mut(), 1, [0].as_ptr()), BAD_REFERENCE);
            assert_eq!(transmit(upstream.0, 1, null()), BAD_REFERENCE);
            assert_eq!(
                receive(null_mut(), &mut size, null_mut(), -1),
                BAD_REFERENCE
            );
            assert_eq!(
                receive(upstream.0, null_mut(), null_mut(), -1),
                BAD_REFERENCE
            );
            assert_eq!(Tss2_TctiLdr_Initialize(null(), null_mut()), BAD_REFERENCE);
            Tss2_TctiLdr_Finalize(null_mut());
        }
    }

    #[test]
    fn a_context_that_nobody_brought_a_way_for_is_refused() {
        let mut context = null_mut();
        // SAFETY: it is the place of a pointer.
        let code = unsafe { Tss2_TctiLdr_Initialize_Ex(null(), null(), &mut context) };
        assert_eq!(code, BAD_SEQUENCE);
        assert!(context.is_null());
    }
}
