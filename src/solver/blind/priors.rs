//! The priors of the descents.

use crate::prior::{Concave, Differences, Edges, Group, Term};

/// Spans of time that frames are compared over.
const LAGS: [usize; 4] = [1, 2, 3, 5];

fn term(lag: usize, group: Group, weight: f32, bend: f32) -> Term {
    Term {
        lag,
        group,
        potential: Concave {
            bend,
            epsilon: 1e-3,
        },
        weight,
        itself: 1.0,
    }
}

/// Of the joint descent: strongly concave, which holds the parameters best.
pub(super) fn joint() -> Differences {
    let mut terms = vec![term(0, Group::Axes, 1.0, 0.03)];
    terms.extend(LAGS.map(|lag| term(lag, Group::Axes, 0.75, 0.05)));
    Differences { terms }
}

/// Of the polish: all eight neighbours, so that slanted edges cost no more than straight ones,
/// and the second differences, so that slopes are not made into stairs. The first asks that
/// changes over time be smooth, the second rather that there be none.
pub(super) fn polish() -> Vec<Differences> {
    let mut still = vec![
        term(0, Group::Neighbours, 0.5, 0.05),
        term(0, Group::Curvature, 0.25, 0.1),
    ];
    still.extend(LAGS.map(|lag| Term {
        itself: 2.0,
        ..term(lag, Group::Neighbours, 0.6, 0.05)
    }));
    vec![Edges::prior(), Differences { terms: still }]
}
