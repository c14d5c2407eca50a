//! The form of every table of documented codes: one table gives the enum, its documentation and its
//! accessors.

/// Declares an enum of documented codes.
///
/// A row is `Variant = "code" => Fault, "message", "note";`. The code is the variant's name if it
/// is left out; the note is optional and appears in the documentation only. `Display` writes the
/// message.
macro_rules! codes {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident {
            $($variant:ident $(= $code:literal)? => $fault:ident, $message:literal $(, $note:literal)?;)*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
        $visibility enum $name {
            $(
                #[doc = concat!("`", codes!(@code $variant $($code)?), "`: ", $message, ".")]
                $(#[doc = ""] #[doc = $note])?
                #[error($message)]
                $variant,
            )*
        }

        impl $name {
            /// Every code, in the documented order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as responses carry it.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => codes!(@code $variant $($code)?)),* }
            }

            /// The sentence for the client.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message),* }
            }

            /// The party at fault, which determines the HTTP status.
            #[must_use]
            pub const fn fault(self) -> $crate::fault::Fault {
                match self { $(Self::$variant => $crate::fault::Fault::$fault),* }
            }
        }
    };
    (@code $variant:ident $code:literal) => { $code };
    (@code $variant:ident) => { stringify!($variant) };
}
