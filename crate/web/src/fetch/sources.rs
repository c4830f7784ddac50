//! Where a file can be had, and what it must be.

use crate::error::Error;

/// A file that is wanted, and the addresses that may have it.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Addresses, in the order in which they are asked.
    pub mirrors: Vec<String>,
    /// The SHA-256 that it must have, hexadecimal.
    pub sha256: Option<String>,
    /// Whether the browser's HTTP cache must not answer.
    pub reload: bool,
}

impl Sources {
    /// A file at one address, whatever it is.
    pub fn at(url: &str) -> Self {
        Self { mirrors: vec![url.to_owned()], sha256: None, reload: false }
    }

    /// A file in several folders, each ending in `/`. A file name that is a whole address is taken as that.
    pub fn in_folders(folders: &[String], file_name: &str) -> Self {
        if file_name.contains("://") {
            return Self::at(file_name);
        }
        let mirrors = folders.iter().map(|folder| format!("{folder}{file_name}")).collect();
        Self { mirrors, sha256: None, reload: false }
    }

    /// Bytes with another SHA-256 are a failure.
    #[must_use]
    pub fn with_sha256(mut self, sha256: &str) -> Self {
        self.sha256 = Some(sha256.to_owned());
        self
    }

    /// The HTTP cache is passed by.
    #[must_use]
    pub fn reloaded(mut self) -> Self {
        self.reload = true;
        self
    }
}

/// The last thing that each mirror answered.
#[derive(Debug)]
pub struct Answers(Vec<Option<Error>>);

impl Answers {
    /// Nobody has answered.
    pub fn new(mirrors: usize) -> Self {
        Self(vec![None; mirrors])
    }

    /// A mirror failed. Wrong bytes say more than what comes when they are asked for again.
    pub fn note(&mut self, mirror: usize, error: Error) {
        use crate::error::Code::Integrity;
        let answer = &mut self.0[mirror];
        if answer.as_ref().is_none_or(|noted| noted.code() != Integrity || error.code() == Integrity) {
            *answer = Some(error);
        }
    }

    /// One error for all that was answered: the first mirror's kind and hint, and what each said.
    pub fn into_error(self, name: &str) -> Error {
        use crate::error::Code;
        let mut answers: Vec<Error> = self.0.into_iter().flatten().collect();
        if answers.len() > 1 {
            let said: Vec<&str> = answers.iter().map(|error| error.message().trim_end_matches('.')).collect();
            let message = format!("No mirror gives {name}: {}.", said.join("; "));
            return answers.swap_remove(0).with_message(message);
        }
        answers.pop().unwrap_or_else(|| Error::new(Code::BadArgument, format!("There is no address for {name}.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn file_names_are_taken_from_the_folders_unless_they_are_addresses() {
        let folders = ["https://example.org/a/".to_owned(), "https://example.com/".to_owned()];
        let sources = Sources::in_folders(&folders, "b.whl");
        assert_eq!(sources.mirrors, ["https://example.org/a/b.whl", "https://example.com/b.whl"]);
        assert_eq!(Sources::in_folders(&folders, "https://c.example/b.whl").mirrors, ["https://c.example/b.whl"]);
    }

    #[test]
    fn the_error_says_what_each_mirror_answered() {
        let mut answers = Answers::new(3);
        answers.note(0, Error::new(Code::LoadHttp, "a answered with status 503."));
        answers.note(0, Error::new(Code::LoadHttp, "a answered with status 404.").hint("Look."));
        answers.note(2, Error::new(Code::Integrity, "c is not what was expected."));
        answers.note(2, Error::new(Code::LoadNetwork, "c could not be loaded"));
        let error = answers.into_error("x.whl");
        assert_eq!(error.code(), Code::LoadHttp);
        let said = "No mirror gives x.whl: a answered with status 404; c is not what was expected.";
        assert_eq!(error.message(), said);
    }

    #[test]
    fn one_mirror_speaks_for_itself() {
        let mut answers = Answers::new(1);
        answers.note(0, Error::new(Code::LoadHttp, "a answered with status 404."));
        assert_eq!(answers.into_error("x.whl").message(), "a answered with status 404.");
    }
}
