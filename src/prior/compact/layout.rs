//! Where each parameter lies: all of a network's numbers in one row.

use super::config::Config;

/// One named array of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    pub name: String,
    pub shape: Vec<usize>,
    pub from: usize,
    pub start: Start,
}

impl Slot {
    pub fn range(&self) -> std::ops::Range<usize> {
        self.from..self.from + self.shape.iter().product::<usize>()
    }
}

/// How a parameter starts when nothing has been learnt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// N(0, 1) over the square root of so many inputs.
    Inputs(usize),
    Zeros,
}

/// A convolution's weights `[outputs, inputs, side, side]` and biases, in the row of parameters.
#[derive(Clone, Copy, Debug)]
pub struct Conv {
    pub weight: usize,
    pub bias: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub taps: usize,
}

impl Conv {
    pub fn weights(self) -> std::ops::Range<usize> {
        self.weight..self.weight + self.outputs * self.inputs * self.taps
    }

    pub fn biases(self) -> std::ops::Range<usize> {
        self.bias..self.bias + self.outputs
    }
}

/// Two convolutions; the noise level scales and shifts what the first one finds.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub first: Conv,
    pub second: Conv,
    /// `[2 * channels, EMBEDDED]` and `[2 * channels]`, as a convolution of one tap.
    pub level: Conv,
}

#[derive(Clone, Debug)]
pub struct Layout {
    /// Sides are multiples of it inside.
    pub multiple: usize,
    pub slots: Vec<Slot>,
    pub embed: Conv,
    pub enter: Conv,
    pub down: Vec<Vec<Block>>,
    pub reduce: Vec<Conv>,
    pub middle: Vec<Block>,
    pub enlarge: Vec<Conv>,
    pub up: Vec<Vec<Block>>,
    pub leave: Conv,
}

struct Row(Vec<Slot>);

impl Row {
    fn len(&self) -> usize {
        self.0.last().map_or(0, |slot| slot.range().end)
    }

    fn add(&mut self, name: String, shape: &[usize], start: Start) -> usize {
        let from = self.len();
        let shape = shape.to_vec();
        self.0.push(Slot {
            name,
            shape,
            from,
            start,
        });
        from
    }

    fn conv(
        &mut self,
        name: &str,
        inputs: usize,
        outputs: usize,
        side: usize,
        quiet: bool,
    ) -> Conv {
        let taps = side * side;
        let start = if quiet {
            Start::Zeros
        } else {
            Start::Inputs(inputs * taps)
        };
        let shape = [outputs, inputs, side, side];
        Conv {
            weight: self.add(format!("{name}.weight"), &shape, start),
            bias: self.add(format!("{name}.bias"), &[outputs], Start::Zeros),
            inputs,
            outputs,
            taps,
        }
    }

    fn block(&mut self, name: &str, channels: usize, embedded: usize) -> Block {
        Block {
            first: self.conv(&format!("{name}.first"), channels, channels, 3, false),
            second: self.conv(&format!("{name}.second"), channels, channels, 3, true),
            level: self.conv(&format!("{name}.level"), embedded, 2 * channels, 1, true),
        }
    }
}

impl Layout {
    pub fn new(config: &Config) -> Self {
        let mut row = Row(Vec::new());
        let (widths, embedded) = (&config.widths, Config::EMBEDDED);
        let deepest = widths.len() - 1;
        let embed = row.conv("embed", Config::WAVES, embedded, 1, false);
        let enter = row.conv("enter", Config::INPUTS, widths[0], 3, false);
        let stage = |row: &mut Row, name: &str, width: usize| -> Vec<Block> {
            (0..config.blocks)
                .map(|b| row.block(&format!("{name}.{b}"), width, embedded))
                .collect()
        };
        let (mut down, mut reduce, mut up, mut enlarge) = (vec![], vec![], vec![], vec![]);
        for level in 0..deepest {
            down.push(stage(&mut row, &format!("down.{level}"), widths[level]));
            reduce.push(row.conv(
                &format!("reduce.{level}"),
                4 * widths[level],
                widths[level + 1],
                1,
                false,
            ));
        }
        let middle = stage(&mut row, "middle", widths[deepest]);
        for level in 0..deepest {
            enlarge.push(row.conv(
                &format!("enlarge.{level}"),
                widths[level + 1],
                4 * widths[level],
                1,
                false,
            ));
            up.push(stage(&mut row, &format!("up.{level}"), widths[level]));
        }
        let leave = row.conv("leave", widths[0], 4, 3, true);
        Self {
            multiple: config.multiple(),
            slots: row.0,
            embed,
            enter,
            down,
            reduce,
            middle,
            enlarge,
            up,
            leave,
        }
    }

    /// How many numbers a network has.
    pub fn len(&self) -> usize {
        self.slots.last().map_or(0, |slot| slot.range().end)
    }

    /// Every convolution, the noise level's linear layers left out.
    pub fn convolutions(&self) -> Vec<Conv> {
        let stages = self.down.iter().chain([&self.middle]).chain(&self.up);
        let blocks = stages
            .flatten()
            .flat_map(|block| [block.first, block.second]);
        let between = self.reduce.iter().chain(&self.enlarge).copied();
        blocks
            .chain(between)
            .chain([self.enter, self.leave])
            .collect()
    }
}
