//! Slopes of the parameters, in the order in which a row holds these.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use super::UNet;

struct Visitor<'a> {
    gradients: &'a mut Gradients,
    /// By the parameters' ids, their places.
    found: Vec<Option<Tensor<1>>>,
}

impl ModuleVisitor for Visitor<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let place = param.id.val() as usize;
        let slope = param.val().grad_remove(self.gradients);
        self.found.resize(self.found.len().max(place + 1), None);
        self.found[place] = slope.map(|slope| slope.reshape([-1]));
    }
}

impl UNet {
    /// The slopes of each of [`slots`](Self::slots) in turn, flat and untracked, moved out of the
    /// `gradients` of something this network, made trainable by [`Module::train`], computed; none
    /// where one is missing.
    pub fn slopes(&self, gradients: &mut Gradients) -> Option<Vec<Tensor<1>>> {
        let mut visitor = Visitor {
            gradients,
            found: Vec::new(),
        };
        self.visit(&mut visitor);
        visitor.found.into_iter().collect()
    }
}
