//! Reads protobuf messages field by field, without copying.
//!
//! The decoders walk over a message themselves and keep what they know: an unknown field costs
//! a jump, a text no allocation. Only what Prometheus' messages need: no groups. Format:
//! protobuf.dev, "Encoding".

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    /// A field reaches beyond the end of its message.
    #[error("unexpected end of message")]
    Truncated,
    /// A text that is none.
    #[error("a text is not UTF-8")]
    NotUtf8,
    /// A varint of more than ten bytes.
    #[error("varint overflows 64 bits")]
    VarintOverflow,
    /// A wire type that does not exist or is no longer used, or field number 0.
    #[error("illegal tag {0}")]
    IllegalTag(u64),
    /// A known field of another wire type than it must have.
    #[error("wrong wire type of field {0}")]
    WrongWireType(u64),
}

/// The value of one field, as it was sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

/// The rest of one message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    rest: &'a [u8],
    /// The field read last, for errors.
    field: u64,
}

impl<'a> Message<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            field: 0,
        }
    }

    /// Reads the next field: its number and value. `None` at the end.
    #[inline]
    pub(crate) fn next_field(&mut self) -> Result<Option<(u64, Wire<'a>)>, ProtobufError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        self.field = tag >> 3;
        if self.field == 0 {
            return Err(ProtobufError::IllegalTag(tag));
        }
        let wire = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.take_array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                Wire::Bytes(self.take(length)?)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(self.take_array()?)),
            _ => return Err(ProtobufError::IllegalTag(tag)),
        };
        Ok(Some((self.field, wire)))
    }

    /// Reads a length and as many bytes, as between messages of a stream.
    pub(crate) fn delimited(&mut self) -> Result<&'a [u8], ProtobufError> {
        let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        self.take(length)
    }

    /// What is still to be read.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Bytes that are still to be read.
    pub(crate) const fn remaining(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, ProtobufError> {
        // Tags and most lengths are single bytes.
        if let Some((byte, rest)) = self.rest.split_first()
            && *byte < 0x80
        {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64, ProtobufError> {
        let (mut value, mut shift) = (0_u64, 0_u32);
        for (i, byte) in self.rest.iter().enumerate() {
            if shift == 63 && *byte > 1 {
                return Err(ProtobufError::VarintOverflow);
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                self.rest = self.rest.get(i + 1..).unwrap_or_default();
                return Ok(value);
            }
            shift += 7;
        }
        Err(ProtobufError::Truncated)
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], ProtobufError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(ProtobufError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn take_array<const N: usize>(&mut self) -> Result<[u8; N], ProtobufError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(ProtobufError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// The bytes of a text or message field.
    pub(crate) const fn bytes(&self, wire: Wire<'a>) -> Result<&'a [u8], ProtobufError> {
        match wire {
            Wire::Bytes(bytes) => Ok(bytes),
            _ => Err(ProtobufError::WrongWireType(self.field)),
        }
    }

    /// The message in a field.
    pub(crate) fn message(&self, wire: Wire<'a>) -> Result<Message<'a>, ProtobufError> {
        self.bytes(wire).map(Message::new)
    }

    pub(crate) const fn unsigned(&self, wire: Wire<'a>) -> Result<u64, ProtobufError> {
        match wire {
            Wire::Varint(value) => Ok(value),
            _ => Err(ProtobufError::WrongWireType(self.field)),
        }
    }

    /// An `int64`: two's complement in a varint.
    pub(crate) fn int64(&self, wire: Wire<'a>) -> Result<i64, ProtobufError> {
        self.unsigned(wire).map(u64::cast_signed)
    }

    /// A `sint32`, zigzag; what does not fit saturates.
    pub(crate) fn sint32(&self, wire: Wire<'a>) -> Result<i32, ProtobufError> {
        let value = zigzag(self.unsigned(wire)?);
        let bound = if value < 0 { i32::MIN } else { i32::MAX };
        Ok(i32::try_from(value).unwrap_or(bound))
    }

    pub(crate) const fn double(&self, wire: Wire<'a>) -> Result<f64, ProtobufError> {
        match wire {
            Wire::Fixed64(bits) => Ok(f64::from_bits(bits)),
            _ => Err(ProtobufError::WrongWireType(self.field)),
        }
    }

    /// Adds the doubles of a repeated field, packed or one at a time.
    pub(crate) fn doubles(&self, wire: Wire<'a>, to: &mut Vec<f64>) -> Result<(), ProtobufError> {
        let Wire::Bytes(bytes) = wire else {
            to.push(self.double(wire)?);
            return Ok(());
        };
        let mut packed = Message::new(bytes);
        while !packed.rest.is_empty() {
            let bits = u64::from_le_bytes(packed.take_array()?);
            to.push(f64::from_bits(bits));
        }
        Ok(())
    }

    /// Adds the `uint32`s of a repeated field, packed or one at a time; what does not fit saturates.
    pub(crate) fn uint32s(&self, wire: Wire<'a>, to: &mut Vec<u32>) -> Result<(), ProtobufError> {
        let fit = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let Wire::Bytes(bytes) = wire else {
            to.push(fit(self.unsigned(wire)?));
            return Ok(());
        };
        let mut packed = Message::new(bytes);
        while !packed.rest.is_empty() {
            to.push(fit(packed.varint()?));
        }
        Ok(())
    }

    /// Adds the `uint64`s of a repeated field, packed or one at a time.
    pub(crate) fn uint64s(&self, wire: Wire<'a>, to: &mut Vec<u64>) -> Result<(), ProtobufError> {
        let Wire::Bytes(bytes) = wire else {
            to.push(self.unsigned(wire)?);
            return Ok(());
        };
        let mut packed = Message::new(bytes);
        while !packed.rest.is_empty() {
            to.push(packed.varint()?);
        }
        Ok(())
    }

    /// Adds the `fixed64`s of a repeated field, packed or one at a time.
    pub(crate) fn fixed64s(&self, wire: Wire<'a>, to: &mut Vec<u64>) -> Result<(), ProtobufError> {
        let Wire::Bytes(bytes) = wire else {
            to.push(self.fixed64(wire)?);
            return Ok(());
        };
        let mut packed = Message::new(bytes);
        while !packed.rest.is_empty() {
            to.push(u64::from_le_bytes(packed.take_array()?));
        }
        Ok(())
    }

    /// A `fixed64`.
    pub(crate) const fn fixed64(&self, wire: Wire<'a>) -> Result<u64, ProtobufError> {
        match wire {
            Wire::Fixed64(bits) => Ok(bits),
            _ => Err(ProtobufError::WrongWireType(self.field)),
        }
    }

    /// Adds the `sint64`s of a repeated field, packed or one at a time.
    pub(crate) fn sint64s(&self, wire: Wire<'a>, to: &mut Vec<i64>) -> Result<(), ProtobufError> {
        let Wire::Bytes(bytes) = wire else {
            to.push(zigzag(self.unsigned(wire)?));
            return Ok(());
        };
        let mut packed = Message::new(bytes);
        while !packed.rest.is_empty() {
            to.push(zigzag(packed.varint()?));
        }
        Ok(())
    }
}

const fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::{Message, ProtobufError, Wire};

    fn check(bytes: &[u8], want: Result<Option<(u64, Wire<'_>)>, ProtobufError>) {
        assert_eq!(Message::new(bytes).next_field(), want, "{bytes:x?}");
    }

    #[test]
    fn reads_fields() {
        check(&[], Ok(None));
        check(&[0x08, 0x96, 0x01], Ok(Some((1, Wire::Varint(150)))));
        check(&[0x12, 0x02, b'h', b'i'], Ok(Some((2, Wire::Bytes(b"hi")))));
        check(&[0x1d, 1, 0, 0, 0], Ok(Some((3, Wire::Fixed32(1)))));
        check(
            &[0x21, 1, 0, 0, 0, 0, 0, 0, 0],
            Ok(Some((4, Wire::Fixed64(1)))),
        );
    }

    #[test]
    fn refuses() {
        check(&[0x08], Err(ProtobufError::Truncated));
        check(&[0x12, 0x03, b'h', b'i'], Err(ProtobufError::Truncated));
        check(&[0x21, 1, 0], Err(ProtobufError::Truncated));
        check(&[0x0b], Err(ProtobufError::IllegalTag(0x0b)));
        check(&[0x00, 0x00], Err(ProtobufError::IllegalTag(0)));
        let too_long = [0xff; 12];
        check(&too_long, Err(ProtobufError::VarintOverflow));
    }

    #[test]
    fn undoes_zigzag() {
        for (sent, want) in [(0, 0), (1, -1), (2, 1), (u64::MAX, i64::MIN)] {
            assert_eq!(super::zigzag(sent), want);
        }
    }
}
