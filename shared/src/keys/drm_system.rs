//! DRM systems, by the UUIDs under which DASH-IF registers them.

use super::{key_id::KeyId, scheme::Scheme};

/// A DRM system that the key server signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DrmSystem {
    /// Google Widevine.
    Widevine,
    /// Microsoft PlayReady.
    PlayReady,
    /// Apple FairPlay Streaming.
    FairPlay,
    /// HLS `METHOD=AES-128`, by the unofficial id of SPEKE 1.0.
    Aes128,
    /// HLS `METHOD=AES-128`, by the id of SPEKE 2.0.
    ClearKeyAes128,
    /// The W3C's common system id for `cenc` initialisation data.
    Common,
}

/// The id names no system that the key server signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is the id of no supported DRM system")]
pub struct UnknownDrmSystem(pub KeyId);

impl DrmSystem {
    /// All systems.
    pub const ALL: [Self; 6] = [Self::Widevine, Self::PlayReady, Self::FairPlay, Self::Aes128, Self::ClearKeyAes128, Self::Common];

    /// The system's id as the number that its hexadecimal digits make.
    const fn number(self) -> u128 {
        match self {
            Self::Widevine => 0xEDEF_8BA9_79D6_4ACE_A3C8_27DC_D51D_21ED,
            Self::PlayReady => 0x9A04_F079_9840_4286_AB92_E65B_E088_5F95,
            Self::FairPlay => 0x94CE_86FB_07FF_4F43_ADB8_93D2_FA96_8CA2,
            Self::Aes128 => 0x8137_6844_F976_481E_A84E_CC25_D39B_0B33,
            Self::ClearKeyAes128 => 0x3EA8_778F_7742_4BF9_B18B_E834_B2AC_BD47,
            Self::Common => 0x1077_EFEC_C0B2_4D02_ACE3_3C1E_52E2_FB4B,
        }
    }

    /// The system's UUID.
    #[must_use]
    pub const fn id(self) -> KeyId {
        KeyId::from_bytes(self.number().to_be_bytes())
    }

    /// The system of a UUID.
    pub fn from_id(id: KeyId) -> Result<Self, UnknownDrmSystem> {
        Self::ALL.into_iter().find(|system| system.id() == id).ok_or(UnknownDrmSystem(id))
    }

    /// Whether the system plays content under a scheme.
    #[must_use]
    pub const fn supports(self, scheme: Scheme) -> bool {
        match self {
            Self::Widevine | Self::Common => true,
            Self::PlayReady => matches!(scheme, Scheme::Cenc | Scheme::Cbcs),
            Self::FairPlay => matches!(scheme, Scheme::Cbcs),
            Self::Aes128 | Self::ClearKeyAes128 => matches!(scheme, Scheme::Cbc1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_registered_ones() {
        let ids = DrmSystem::ALL.map(|system| system.id().to_string());
        assert_eq!(
            ids,
            [
                "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",
                "9a04f079-9840-4286-ab92-e65be0885f95",
                "94ce86fb-07ff-4f43-adb8-93d2fa968ca2",
                "81376844-f976-481e-a84e-cc25d39b0b33",
                "3ea8778f-7742-4bf9-b18b-e834b2acbd47",
                "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b",
            ]
        );
        for system in DrmSystem::ALL {
            assert_eq!(DrmSystem::from_id(system.id()), Ok(system));
        }
        let irdeto = "80a6be7e-1448-4c37-9e70-d5aebe04c8d2".parse().unwrap();
        assert_eq!(DrmSystem::from_id(irdeto), Err(UnknownDrmSystem(irdeto)));
    }
}
