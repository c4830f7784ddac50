//! Finds import statements in a stream of tokens and keeps track of the blocks that make them optional.

use super::Import;
use super::lexer::{Lexer, Token};

/// The exceptions whose handlers catch a failed import.
const CATCHING: [&str; 4] = ["ImportError", "ModuleNotFoundError", "Exception", "BaseException"];

/// A compound statement in whose blocks imports may be optional.
struct Block {
    /// Column of its keywords. It ends at the first line that is indented no further and does not continue it.
    column: usize,
    kind: BlockKind,
}

enum BlockKind {
    /// In the body of a `try`; `first` is the index of its first import.
    TryBody { first: usize },
    /// In a later clause of a `try`; `body` are the indexes of the imports in its body.
    TryClause { body: std::ops::Range<usize>, optional: bool },
    /// In a block whose imports are all optional.
    Optional,
}

impl Block {
    fn is_optional(&self) -> bool {
        matches!(self.kind, BlockKind::Optional | BlockKind::TryClause { optional: true, .. })
    }
}

pub(super) fn scan(source: &str) -> Vec<Import> {
    let mut scanner = Scanner {
        lexer: Lexer::new(source),
        current: None,
        source: source.as_bytes(),
        imports: Vec::new(),
        blocks: Vec::new(),
        line: 1,
        counted: 0,
    };
    scanner.advance();
    scanner.run();
    scanner.imports
}

struct Scanner<'a> {
    lexer: Lexer<'a>,
    /// The token not yet consumed.
    current: Option<Token<'a>>,
    source: &'a [u8],
    imports: Vec<Import>,
    blocks: Vec<Block>,
    /// The number of the line that holds the byte `counted`.
    line: u32,
    counted: usize,
}

impl<'a> Scanner<'a> {
    fn advance(&mut self) {
        self.current = self.lexer.next();
    }

    fn run(&mut self) {
        while let Some(token) = self.current {
            match token {
                Token::Line { column } => {
                    self.advance();
                    self.header(column);
                    self.statement();
                }
                Token::Operator(b';' | b':') if !self.lexer.in_brackets() => {
                    self.advance();
                    self.statement();
                }
                _ => self.advance(),
            }
        }
    }

    /// At the first token of a logical line: closes the blocks that end here and opens the one that starts here.
    fn header(&mut self, column: usize) {
        let keyword = match self.current {
            Some(Token::Name(name)) => name,
            _ => "",
        };
        self.blocks.truncate(self.blocks.iter().rposition(|block| block.column <= column).map_or(0, |last| last + 1));
        let sibling = self.blocks.pop_if(|block| block.column == column).map(|block| block.kind);
        let kind = match keyword {
            "try" => Some(BlockKind::TryBody { first: self.imports.len() }),
            "except" | "else" | "finally" => self.clause(keyword, sibling),
            "if" | "elif" => is_type_checking(&self.header_tokens()).then_some(BlockKind::Optional),
            "with" => suppresses(&self.header_tokens()).then_some(BlockKind::Optional),
            _ => None,
        };
        self.blocks.extend(kind.map(|kind| Block { column, kind }));
    }

    /// A clause that continues the `try` statement whose clause before it is `sibling`.
    fn clause(&mut self, keyword: &str, sibling: Option<BlockKind>) -> Option<BlockKind> {
        let body = match sibling? {
            BlockKind::TryBody { first } => first..self.imports.len(),
            BlockKind::TryClause { body, .. } => body,
            BlockKind::Optional => return None,
        };
        if keyword != "except" || !catches_imports(&self.header_tokens()) {
            return Some(BlockKind::TryClause { body, optional: false });
        }
        for import in &mut self.imports[body.clone()] {
            import.optional = true;
        }
        // Marked once: a second handler has nothing left to do.
        Some(BlockKind::TryClause { body: body.end..body.end, optional: true })
    }

    /// Consumes the tokens of a block's header between its keyword and its colon and returns them.
    fn header_tokens(&mut self) -> Vec<Token<'a>> {
        self.advance();
        let mut tokens = Vec::new();
        while let Some(token) = self.current {
            let colon = token == Token::Operator(b':') && !self.lexer.in_brackets();
            if colon || token == Token::EndOfLine {
                break;
            }
            tokens.push(token);
            self.advance();
        }
        tokens
    }

    /// Where a statement starts: records it if it is an import.
    fn statement(&mut self) {
        match self.current {
            Some(Token::Name("import")) => self.import(),
            Some(Token::Name("from")) => self.import_from(),
            _ => {}
        }
    }

    /// `import a.b, c as d`
    fn import(&mut self) {
        let line = self.line_of_token();
        let optional = self.is_optional();
        loop {
            self.advance();
            let Some(module) = self.dotted_name() else { return };
            self.imports.push(Import { module, names: Vec::new(), level: 0, line, optional });
            self.skip_alias();
            if self.current != Some(Token::Operator(b',')) {
                return;
            }
        }
    }

    /// `from ..x.y import (z, w as v)`
    fn import_from(&mut self) {
        let line = self.line_of_token();
        let optional = self.is_optional();
        self.advance();
        let mut level = 0;
        while self.take(Token::Operator(b'.')) {
            level += 1;
        }
        let module = match self.current {
            Some(Token::Name("import")) if level > 0 => String::new(),
            _ => match self.dotted_name() {
                Some(module) => module,
                None => return,
            },
        };
        if !self.take(Token::Name("import")) {
            return;
        }
        self.take(Token::Operator(b'('));
        let mut names = Vec::new();
        loop {
            match self.current {
                Some(Token::Name(name)) => names.push(name.to_owned()),
                Some(Token::Operator(b'*')) => names.push("*".to_owned()),
                _ => break,
            }
            self.advance();
            self.skip_alias();
            if !self.take(Token::Operator(b',')) {
                break;
            }
        }
        self.imports.push(Import { module, names, level, line, optional });
    }

    /// `a.b.c`, `None` and nothing useful consumed if no whole name is here.
    fn dotted_name(&mut self) -> Option<String> {
        let mut dotted = String::new();
        loop {
            let Some(Token::Name(name)) = self.current else { return None };
            dotted.push_str(name);
            self.advance();
            if !self.take(Token::Operator(b'.')) {
                return Some(dotted);
            }
            dotted.push('.');
        }
    }

    fn skip_alias(&mut self) {
        if self.take(Token::Name("as")) && matches!(self.current, Some(Token::Name(_))) {
            self.advance();
        }
    }

    fn take(&mut self, token: Token<'_>) -> bool {
        let here = self.current == Some(token);
        if here {
            self.advance();
        }
        here
    }

    fn is_optional(&self) -> bool {
        self.blocks.iter().any(Block::is_optional)
    }

    /// The number of the line on which the current token starts. Tokens are asked for in order, so that every byte is
    /// counted once.
    fn line_of_token(&mut self) -> u32 {
        let here = self.lexer.token_start;
        for index in self.counted..here {
            let ends_line = match self.source[index] {
                b'\n' => true,
                b'\r' => self.source.get(index + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line = self.line.saturating_add(u32::from(ends_line));
        }
        self.counted = here;
        self.line
    }
}

/// `TYPE_CHECKING` or `typing.TYPE_CHECKING`.
fn is_type_checking(condition: &[Token<'_>]) -> bool {
    matches!(
        condition,
        [Token::Name("TYPE_CHECKING")] | [Token::Name(_), Token::Operator(b'.'), Token::Name("TYPE_CHECKING")]
    )
}

/// Whether what stands between `except` and `:` catches a failed import.
fn catches_imports(exceptions: &[Token<'_>]) -> bool {
    let group = usize::from(exceptions.first() == Some(&Token::Operator(b'*')));
    let types = exceptions[group..].split(|token| *token == Token::Name("as")).next().unwrap_or_default();
    types.is_empty() || names_import_error(types)
}

/// `suppress(ImportError)` or `contextlib.suppress(ImportError)` among the context managers.
fn suppresses(managers: &[Token<'_>]) -> bool {
    managers.contains(&Token::Name("suppress")) && names_import_error(managers)
}

fn names_import_error(tokens: &[Token<'_>]) -> bool {
    tokens.iter().any(|token| matches!(token, Token::Name(name) if CATCHING.contains(name)))
}
