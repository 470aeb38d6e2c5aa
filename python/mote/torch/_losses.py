# SPDX-License-Identifier: Apache-2.0
"""Loss functions."""
from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def distillation_loss(student: Tensor, teacher: Tensor, labels: Tensor, temperature: float = 4.0, alpha: float = 0.5) -> Tensor:
    """`alpha` times the divergence from the teacher's softened probabilities, the rest cross-entropy with the labels.

    student, teacher: logits [N, classes]; labels: int64 [N]. The divergence is multiplied by temperature^2, so that its
    gradients keep their size (Hinton et al., Distilling the Knowledge in a Neural Network, 2015).
    """
    soft = F.kl_div(F.log_softmax(student / temperature, 1), F.log_softmax(teacher.detach() / temperature, 1),
                    reduction="batchmean", log_target=True)
    return alpha * temperature**2 * soft + (1.0 - alpha) * F.cross_entropy(student, labels)
