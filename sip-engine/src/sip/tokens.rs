//! Branches, tags and Call-IDs out of a seed that is handed in: unguessable to others, repeatable in a test.

use ring::hmac;

/// A source of tokens; two with the same seed give the same ones.
pub struct Tokens {
    key: hmac::Key,
    count: u64,
}

impl Tokens {
    /// A source from a seed. Give it 32 random bytes, or zeroes in a test.
    #[must_use]
    pub fn new(seed: &[u8; 32]) -> Tokens {
        Tokens { key: hmac::Key::new(hmac::HMAC_SHA256, seed), count: 0 }
    }

    /// 128 bits in hex.
    pub fn token(&mut self) -> String {
        self.count += 1;
        hex(&hmac::sign(&self.key, &self.count.to_be_bytes()))
    }

    /// 128 bits in hex that are always the same for the same text, and that nobody can guess without the seed.
    pub fn derived(&self, text: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        // Longer than a count, so that no token is ever the same as one of these.
        context.update(b"derived: ");
        context.update(text);
        hex(&context.sign())
    }

    /// A Via branch with the RFC 3261 cookie.
    pub fn branch(&mut self) -> String {
        format!("{}{}", super::values::Via::COOKIE, self.token())
    }

    /// A number from 0 to `below` - 1, for back-off.
    pub fn number(&mut self, below: u64) -> u64 {
        let token = self.token();
        let low = token.get(..15).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or_default();
        low % below.max(1)
    }
}

fn hex(tag: &hmac::Tag) -> String {
    tag.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_do_not_repeat_and_follow_the_seed() {
        let mut one = Tokens::new(&[1; 32]);
        let mut two = Tokens::new(&[1; 32]);
        let mut other = Tokens::new(&[2; 32]);
        let first = one.token();
        assert_eq!(first, two.token());
        assert_ne!(first, one.token());
        assert_ne!(first, other.token());
        assert_eq!(first.len(), 32);
    }
}
