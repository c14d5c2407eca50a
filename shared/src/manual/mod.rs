//! The manual: reference pages, and in [`decisions`] the reasons behind the design.
//!
//! Each page is a Markdown file beside this one, readable in the repository. Nothing here is code.

/// Declares a doc-only module for each page of a folder.
///
/// A page links to other pages by reference, such as `[Codes][codes]`, and defines the references as
/// files. `rustdoc_links.md` defines them as modules. The first definition wins, so links work in the
/// repository and in rustdoc.
macro_rules! pages {
    ($folder:literal: $($page:ident)*) => {
        $(
            #[doc = include_str!("rustdoc_links.md")]
            #[doc = include_str!(concat!($folder, stringify!($page), ".md"))]
            pub mod $page {}
        )*
    };
}

pages! {
    "":
    administration
    architecture
    codes
    deployment
    files
    limits
    local_cloud
    speed
    translation_api
    uploads
}

/// Decisions, and why.
pub mod decisions {
    pages! {
        "decisions/":
        aes_siv
        kernels
        key_rotation
        network_isolation
        no_mocks
        three_apis
        upload_signing
        usage_counts
    }
}
