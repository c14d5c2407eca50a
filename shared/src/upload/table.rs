//! The form of a table of codes, which is the one place that names them.

/// An enum of what each row is called, with its code (by `$code`), whose fault it is, and its sentence.
macro_rules! table {
    ($(#[$about:meta])* $table:ident by $code:ident: $($row:ident $name:literal $fault:ident $sentence:literal;)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
        pub enum $table {
            $(
                #[doc = concat!("`", $name, "`: ", $sentence, ".")]
                #[error($sentence)]
                $row,
            )*
        }

        impl $table {
            /// Every row, in the table's order.
            pub const ALL: &[Self] = &[$(Self::$row),*];

            /// The code as it is written in answers.
            #[must_use]
            pub const fn $code(self) -> &'static str {
                match self { $(Self::$row => $name),* }
            }

            /// Whose fault it is.
            #[must_use]
            pub const fn fault(self) -> $crate::fault::Fault {
                match self { $(Self::$row => $crate::fault::Fault::$fault),* }
            }

            /// The sentence for the caller.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$row => $sentence),* }
            }
        }
    };
}
