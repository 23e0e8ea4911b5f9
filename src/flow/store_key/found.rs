//! The results of a search in a certificate store.

use crate::certificate::store_path::StorePath;
use crate::httpsys::certificates::StoreCertificate;
use crate::oauth::jose::HeldKey;

/// A certificate in a store, with its key.
pub(in crate::flow) struct Opened {
    /// The certificate in DER format.
    pub(in crate::flow) certificate: Vec<u8>,
    /// The CA certificates of its chain that this machine has, without the root.
    pub(in crate::flow) intermediates: Vec<Vec<u8>>,
    pub(in crate::flow) key: HeldKey,
}

/// A certificate that the user can choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// The path of the certificate in its store.
    pub path: StorePath,
    /// The contents of the certificate.
    pub certificate: StoreCertificate,
}
