//! How features lie in memory: a strip a channel, all frames of a clip in a row.

/// Room behind the last pixel for what a kernel computes too much (two vectors of 16 lanes).
const OVERRUN: usize = 32;

/// Numbers in a line of a processor's cache.
const LINE: usize = 16;

/// A channel of a clip: frame after frame, row after row, zeros between rows and between frames.
///
/// One zero ends a row and one row of zeros ends a frame, so that a 3 x 3 window may be moved along
/// the strip without asking where it is. Before the first frame and behind the last one there is
/// room for another: copies of these two, where a network looks one frame back or ahead.
///
/// Kernels write along the strip, over the zeros too; [`clear`](Self::clear) restores them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strip {
    pub frames: usize,
    pub height: usize,
    pub width: usize,
}

impl Strip {
    pub const fn new(frames: usize, height: usize, width: usize) -> Self {
        Self {
            frames,
            height,
            width,
        }
    }

    /// From a pixel to the one below it.
    pub const fn row(self) -> usize {
        self.width + 1
    }

    /// From a pixel to the same one of the next frame.
    pub const fn frame(self) -> usize {
        (self.height + 1) * self.row()
    }

    /// Where the first pixel of the first frame lies.
    pub const fn start(self) -> usize {
        self.row() + 1 + self.frame()
    }

    /// From the first pixel to behind the last one, borders included.
    pub const fn span(self) -> usize {
        self.frames * self.frame()
    }

    /// Where the first pixel lies in what [`here`](Self::here), [`before`](Self::before) and
    /// [`behind`](Self::behind) give.
    pub const fn origin(self) -> usize {
        self.row() + 1
    }

    /// The strip itself, as kernels read it.
    pub fn here(self, strip: &[f32]) -> &[f32] {
        &strip[self.frame()..]
    }

    /// The strip one frame earlier.
    pub fn before(self, strip: &[f32]) -> &[f32] {
        strip
    }

    /// The strip one frame later.
    pub fn behind(self, strip: &[f32]) -> &[f32] {
        &strip[2 * self.frame()..]
    }

    /// Numbers in a strip: an odd number of lines, so that the strips of different channels fall
    /// into different sets of the cache.
    pub const fn len(self) -> usize {
        let least = self.start() + self.span() + self.frame() + self.row() + 1 + OVERRUN;
        LINE * (least.div_ceil(LINE) | 1)
    }

    /// Where row `row` of frame `frame` lies.
    pub const fn pixels(self, frame: usize, row: usize) -> std::ops::Range<usize> {
        let from = self.start() + frame * self.frame() + row * self.row();
        from..from + self.width
    }

    /// Half the height and width.
    pub const fn halved(self) -> Self {
        Self::new(self.frames, self.height / 2, self.width / 2)
    }

    /// The offsets of a 3 x 3 window's places.
    pub fn window(self) -> [isize; 9] {
        let row = self.row() as isize;
        [-row - 1, -row, 1 - row, -1, 0, 1, row - 1, row, row + 1]
    }

    /// Zeroes what is no pixel.
    pub fn clear(self, strip: &mut [f32]) {
        strip[..self.start()].fill(0.0);
        for frame in 0..self.frames {
            for row in 0..self.height {
                strip[self.pixels(frame, row).end] = 0.0;
            }
            let last = self.pixels(frame, self.height - 1).end;
            strip[last..][..=self.row()].fill(0.0);
        }
        strip[self.start() + self.span() - 1..].fill(0.0);
    }
}
