//! Error numbers, as Emscripten's C library has them.

use std::fmt;

macro_rules! errnos {
    ($($name:ident = $code:literal, $text:literal;)*) => {
        /// Why a file-system call failed. The numbers are WASI's, which Emscripten's C library uses
        /// (`system/lib/libc/musl/arch/emscripten/bits/errno.h`), so that CPython raises the right `OSError`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Errno {
            $(#[doc = $text] $name = $code,)*
        }

        impl Errno {
            /// The errno with a number, if it is one that a file system gives.
            pub const fn from_code(code: i32) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The symbol, such as `"ENOENT"`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// What `strerror` says.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

errnos! {
    EACCES = 2, "Permission denied";
    EBADF = 8, "Bad file descriptor";
    EBUSY = 10, "Resource busy";
    EEXIST = 20, "File exists";
    EFBIG = 22, "File too large";
    EINVAL = 28, "Invalid argument";
    EIO = 29, "I/O error";
    EISDIR = 31, "Is a directory";
    ELOOP = 32, "Symbolic link loop";
    EMFILE = 33, "No file descriptors available";
    EMLINK = 34, "Too many links";
    ENAMETOOLONG = 37, "Filename too long";
    ENOENT = 44, "No such file or directory";
    ENOMEM = 48, "Out of memory";
    ENOSPC = 51, "No space left on device";
    ENOSYS = 52, "Function not implemented";
    ENOTDIR = 54, "Not a directory";
    ENOTEMPTY = 55, "Directory not empty";
    ENOTTY = 59, "Not a tty";
    ENXIO = 60, "No such device or address";
    EPERM = 63, "Operation not permitted";
    EROFS = 69, "Read-only file system";
    ESPIPE = 70, "Invalid seek";
    EXDEV = 75, "Cross-device link";
    ENOTSUP = 138, "Not supported";
}

impl Errno {
    /// The number.
    pub const fn code(self) -> i32 {
        self as i32
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

impl std::error::Error for Errno {}
