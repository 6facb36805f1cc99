package train

import "gdram/core/nn"

// referenceAdam is the published optimiser.
var referenceAdam = nn.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
