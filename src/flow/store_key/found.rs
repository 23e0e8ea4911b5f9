//! What was found in a certificate store.

use crate::certificate::store_path::StorePath;
use crate::httpsys::certificates::StoreCertificate;
use crate::oauth::jose::HeldKey;

/// A certificate in a store, and its key.
pub(in crate::flow) struct Opened {
    /// The certificate in DER form.
    pub(in crate::flow) certificate: Vec<u8>,
    /// The certificates of the CAs that issued it, without the root: those that the machine has.
    pub(in crate::flow) intermediates: Vec<Vec<u8>>,
    pub(in crate::flow) key: HeldKey,
}

/// A certificate to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// Where it is.
    pub path: StorePath,
    /// What it says.
    pub certificate: StoreCertificate,
}
