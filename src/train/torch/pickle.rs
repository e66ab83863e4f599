//! What Python unpickles into dictionaries of tensors: protocol 2, the few operations it takes.

/// A pickle being written. What follows a key is its value.
pub struct Pickle {
    bytes: Vec<u8>,
    /// Tensors so far; each has a storage of its own, called by its number.
    tensors: usize,
}

const MARK: u8 = b'(';
const TUPLE: u8 = b't';
const REDUCE: u8 = b'R';

impl Pickle {
    pub fn new() -> Self {
        Self {
            bytes: vec![0x80, 2],
            tensors: 0,
        }
    }

    pub fn text(&mut self, text: &str) {
        self.bytes.push(b'X');
        self.bytes.extend((text.len() as u32).to_le_bytes());
        self.bytes.extend(text.as_bytes());
    }

    pub fn int(&mut self, value: i64) {
        match i32::try_from(value) {
            Ok(value) => {
                self.bytes.push(b'J');
                self.bytes.extend(value.to_le_bytes());
            }
            Err(_) => {
                self.bytes.extend([0x8a, 8]);
                self.bytes.extend(value.to_le_bytes());
            }
        }
    }

    pub fn float(&mut self, value: f64) {
        self.bytes.push(b'G');
        self.bytes.extend(value.to_be_bytes());
    }

    /// A dictionary; `items` writes keys and values in turn.
    pub fn dict(&mut self, items: impl FnOnce(&mut Self)) {
        self.bytes.extend(b"}(");
        items(self);
        self.bytes.push(b'u');
    }

    pub fn ordered_dict(&mut self, items: impl FnOnce(&mut Self)) {
        self.bytes.extend(b"ccollections\nOrderedDict\n)R(");
        items(self);
        self.bytes.push(b'u');
    }

    /// A tensor of 32-bit floats, row-major: the next storage.
    pub fn tensor(&mut self, shape: &[usize]) {
        self.bytes.extend(b"ctorch._utils\n_rebuild_tensor_v2\n");
        self.bytes.push(MARK);
        self.storage(shape.iter().product());
        self.int(0);
        self.tuple(shape);
        let stride = |axis: usize| shape[axis + 1..].iter().product();
        let strides: Vec<usize> = (0..shape.len()).map(stride).collect();
        self.tuple(&strides);
        // It needs no gradient and has no hooks.
        self.bytes.extend(b"\x89ccollections\nOrderedDict\n)R");
        self.bytes.extend([TUPLE, REDUCE]);
    }

    fn storage(&mut self, numbers: usize) {
        self.bytes.push(MARK);
        self.text("storage");
        self.bytes.extend(b"ctorch\nFloatStorage\n");
        self.text(&self.tensors.to_string());
        self.tensors += 1;
        self.text("cpu");
        self.int(numbers as i64);
        self.bytes.extend([TUPLE, b'Q']);
    }

    fn tuple(&mut self, numbers: &[usize]) {
        self.bytes.push(MARK);
        numbers.iter().for_each(|&n| self.int(n as i64));
        self.bytes.push(TUPLE);
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.push(b'.');
        self.bytes
    }
}
