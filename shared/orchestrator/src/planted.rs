//! Mistakes that can be planted, to show that the seeded runs would find them.
//!
//! Only with the feature `planted`, which is nobody's default, and even then nothing is wrong until a test plants a
//! bug. The switch is of a thread: a simulated run lives on one, so runs with different bugs go side by side. Without
//! the feature [`is_planted`] is a constant `false`.

#[cfg(feature = "planted")]
use std::cell::Cell;

/// One list for the variants, their order and their names.
macro_rules! bugs {
    ($($(#[doc = $doc:literal])+ $bug:ident = $name:literal,)+) => {
        /// A mistake that a good engineer could make. Each says what is done wrong, and which rule of the protocols
        /// (P1 to P8) or which fault (F1 to F25) it falls to.
        #[cfg_attr(
            not(feature = "planted"),
            expect(unreachable_pub, reason = "the crate alone names what nobody can plant")
        )]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Bug {
            $($(#[doc = $doc])+ $bug,)+
        }

        #[cfg(feature = "planted")]
        impl Bug {
            /// Every bug.
            pub const ALL: &[Self] = &[$(Self::$bug),+];

            /// Its name on a command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$bug => $name,)+
                }
            }
        }
    };
}

bugs! {
    /// A commit does not check that the execution's version is the one that was read (P1, F13).
    VersionUnchecked = "version-unchecked",
    /// All commits of an execution carry the same mark: one that lost takes the winner's for its own (P1, F12).
    CommitMarkShared = "commit-mark-shared",
    /// A transaction that DynamoDB gave up for another one is taken as committed (P1, F13).
    ConflictIsSuccess = "conflict-is-success",
    /// A further try is made first and written then (P3, F7).
    SendBeforeIntent = "send-before-intent",
    /// Who loses the write that begins a further try sends all the same (P3, F13).
    LoserSends = "loser-sends",
    /// A further try begins without a look at `halt` (P6, F21).
    HaltUnchecked = "halt-unchecked",
    /// SendCommand without an answer is written as refused, and so tried again after a back-off (P3, F8).
    UnknownIsRefused = "unknown-is-refused",
    /// SendCommand without an answer is called once more at once, as an SDK does by default (P3, F8).
    SendCalledAgain = "send-called-again",
    /// An answer 5xx to SendCommand is taken as SSM's refusal (P3, F8).
    ServerErrorIsRefusal = "server-error-is-refusal",
    /// A command item that an early event created never learns whose it is (P3, F6).
    OwnerNotAdded = "owner-not-added",
    /// A second command of a send is neither cancelled nor reported (P3, F9).
    SecondCommandKept = "second-command-kept",
    /// A send that is tried again after an unknown outcome is not watched (P3, F9).
    FurtherTryUnwatched = "further-try-unwatched",
    /// A send that ends without a known outcome is not watched (P3, F21).
    EndedSendUnwatched = "ended-send-unwatched",
    /// The windows of a watched send are listed for its last try only (P3, F9).
    LastWindowWatched = "last-window-watched",
    /// One look that finds nothing is enough to send again (P3, F8).
    OneLookIsAbsent = "one-look-is-absent",
    /// A look that was throttled or failed counts as one that found nothing (P3, F8, F10).
    FailedLookCounts = "failed-look-counts",
    /// A look begins at the very moment of the try, as if all clocks were one (P3, F19).
    WindowWithoutMargin = "window-without-margin",
    /// A look takes any command with a mark of ours for the send's own (P3, F4).
    AnyMarkAdopted = "any-mark-adopted",
    /// CancelCommand that came too early for SSM counts as accepted (P6, F21).
    CancelTooEarlyIsDone = "cancel-too-early-is-done",
    /// A cancel is noted before it is made: one that fails is not made again (P6, F7, F10).
    CancelNotedFirst = "cancel-noted-first",
    /// A stop that could not be committed is answered as if it had been (P6, F15).
    StopNotCommitted = "stop-not-committed",
    /// A fold replaces the set of nodes instead of adding to it (P4, F2).
    FoldReplaces = "fold-replaces",
    /// Successes are counted, and so many as there are nodes mean all of them (P4, F1).
    SuccessesCounted = "successes-counted",
    /// The command's own Success is taken as every node's (P4, P5, F2).
    CommandSpeaksForNodes = "command-speaks-for-nodes",
    /// Messages whose fold failed are acknowledged (P7, F15, F16).
    FoldFailureAcknowledged = "fold-failure-acknowledged",
    /// One message that cannot be read fails its whole batch (P7, F17).
    PoisonFailsBatch = "poison-fails-batch",
    /// A message that cannot be read is acknowledged (P7, F17, F23).
    PoisonAcknowledged = "poison-acknowledged",
    /// A settle is final whatever is missing in its first read (P5, F11).
    PartIsWhole = "part-is-whole",
    /// A command that SSM does not show yet is settled without SSM at once (P5, F11).
    NotShownIsGone = "not-shown-is-gone",
    /// A settle is named before its results are written (P5, F7).
    MarkBeforeResults = "mark-before-results",
    /// Only the coarse status is read: who could not be reached has failed (P5, F24).
    DetailsIgnored = "details-ignored",
    /// A report that contradicts a settled command is not settled again (P4, P5, F2).
    ContradictionIgnored = "contradiction-ignored",
    /// What the index nominates is taken as due, though the item may have gone on since (P6, F20).
    IndexIsTruth = "index-is-truth",
    /// What is decided on is read with eventual consistency (P1, F20).
    StaleRead = "stale-read",
    /// A look of reconcile that changes nothing is the last one (P6, F3).
    DueForgotten = "due-forgotten",
    /// Every start is a new execution, whatever its ClientToken (P6, F22).
    ClientTokenIgnored = "client-token-ignored",
    /// The end of an execution is noted as published before it is: a failed call is not made again (P2, F7).
    PublishNotedFirst = "publish-noted-first",
    /// A request to our SendCommand that is repeated while its outcome is unknown is sent once more (P8, F8).
    RepeatedRequestSent = "repeated-request-sent",
    /// A request to our SendCommand without an answer is written as refused: its repetition is sent (P8, F8).
    UnknownRequestIsRefused = "unknown-request-is-refused",
    /// A request to our SendCommand names its command before that is made known (P8, F7).
    RequestNamedFirst = "request-named-first",
    /// A request without an outcome is looked for once (P8, F8).
    RequestLookedForOnce = "request-looked-for-once",
}

/// No bug is called that.
#[cfg(feature = "planted")]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no bug {0} to plant")]
pub struct NoSuchBug(String);

#[cfg(feature = "planted")]
impl std::str::FromStr for Bug {
    type Err = NoSuchBug;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let bug = Self::ALL.iter().copied().find(|bug| bug.name() == name);
        bug.ok_or_else(|| NoSuchBug(name.to_owned()))
    }
}

#[cfg(feature = "planted")]
thread_local! {
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// Plants a bug in all that this thread does from now on, in place of the one before; `None`: nothing is wrong.
#[cfg(feature = "planted")]
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

/// Whether this thread is to make that mistake.
#[cfg(feature = "planted")]
pub(crate) fn is_planted(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// Never, but where the feature is on.
#[cfg(not(feature = "planted"))]
pub(crate) const fn is_planted(_: Bug) -> bool {
    false
}
