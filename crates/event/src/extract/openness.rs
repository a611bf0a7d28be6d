//! Which fields may have no value yet when a call has only been entered.

use crate::{EventType, Field, FieldArg, FieldId};

impl EventType {
    /// Whether the event is told once it has happened, so that nothing about it is open: programs
    /// executed, processes made and ended.
    pub const fn is_told_afterwards(self) -> bool {
        matches!(
            self,
            Self::Clone
                | Self::Clone3
                | Self::Execve
                | Self::Execveat
                | Self::Fork
                | Self::Procexit
                | Self::Vfork
        )
    }

    const fn is_accept(self) -> bool {
        matches!(self, Self::Accept | Self::Accept4)
    }

    /// Whether the call may give a socket its local address.
    const fn binds(self) -> bool {
        matches!(
            self,
            Self::Bind | Self::Connect | Self::Listen | Self::Sendmsg | Self::Sendto
        )
    }

    const fn receives(self) -> bool {
        matches!(self, Self::Recvfrom | Self::Recvmsg)
    }
}

impl Field {
    /// Whether the field's value may be open at the entry of an event of this type.
    pub fn is_open_at_entry(&self, kind: EventType) -> bool {
        match (self.id, &self.arg) {
            (FieldId::EvtArg | FieldId::EvtRawarg, FieldArg::Key(key)) => {
                !kind.is_told_afterwards()
                    && (&**key == "res" || &**key == "fd" && kind.makes_descriptor())
            }
            (FieldId::EvtArg | FieldId::EvtRawarg, _) => false,
            (id, _) => id.is_open_at_entry(kind),
        }
    }
}

impl FieldId {
    /// Whether the field's value may be open at the entry of an event of this type.
    pub fn is_open_at_entry(self, kind: EventType) -> bool {
        if kind.is_told_afterwards() || !self.info().needs_result() {
            return false;
        }
        match self {
            _ if super::paths::is_open_at_entry(self, kind) => true,
            Self::EvtArgs | Self::EvtFailed | Self::EvtInfo | Self::EvtRawres | Self::EvtRes => {
                true
            }
            Self::EvtArg | Self::EvtRawarg => false,
            _ if kind.is_accept() => true,
            Self::FdConnected => kind == EventType::Connect,
            Self::FdDev
            | Self::FdDevMajor
            | Self::FdDevMinor
            | Self::FdIno
            | Self::FdNum
            | Self::FdUid => kind.makes_descriptor(),
            Self::FdIp | Self::FdName | Self::FdNet | Self::FdPort | Self::FdProto => {
                kind.binds() || kind.receives()
            }
            Self::FdLip | Self::FdLipName | Self::FdLnet | Self::FdLport | Self::FdLproto => {
                kind.binds()
            }
            Self::FdCip | Self::FdCipName | Self::FdCnet | Self::FdCport | Self::FdCproto => {
                kind.receives() || kind.binds()
            }
            Self::FdSip | Self::FdSipName | Self::FdSnet | Self::FdSport | Self::FdSproto => {
                kind.receives() || matches!(kind, EventType::Bind | EventType::Listen)
            }
            Self::FdRip | Self::FdRipName | Self::FdRnet | Self::FdRport | Self::FdRproto => {
                kind.receives()
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_kernel_decides_is_open() {
        let open = |name: &str, kind| Field::resolve(name, None).unwrap().is_open_at_entry(kind);
        assert!(open("fd.num", EventType::Openat));
        assert!(!open("fd.num", EventType::Connect));
        assert!(!open("fd.name", EventType::Openat));
        assert!(open("fd.name", EventType::Connect));
        assert!(!open("fd.sip", EventType::Connect));
        assert!(open("fd.sip", EventType::Accept));
        assert!(open("evt.res", EventType::Ptrace));
        assert!(!open("evt.res", EventType::Execve));
        assert!(open("evt.arg.res", EventType::Mkdir));
        assert!(!open("proc.name", EventType::Accept));
    }
}
