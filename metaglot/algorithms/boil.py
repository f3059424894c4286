"""BOIL (Oh et al. 2021): only the body adapts."""

from typing import Annotated

from pydantic import Field

from metaglot.core.common.stage_configs import AlgorithmSettings
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.inner_loop import InnerRates
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.nn.functional_networks import HEAD, HEAD_BIAS


class BOIL(GradientBased):
    """Oh, Yoo, Kim and Yun 2021, "BOIL: Towards Representation Change for Few-shot Learning".

    The head does not adapt, or with its own rate `head_lr` (the paper's alpha_h). The outer loop learns every
    parameter. The meta-gradient is of second order.
    """

    class Settings(AlgorithmSettings):
        head_lr: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0

    label = "BOIL"
    first_order = False
    settings: Settings

    def rates(self, parameters: MetaParameters, step: int) -> InnerRates:
        rates = dict.fromkeys(self.network.names, self.fast_lr)
        rates |= dict.fromkeys((HEAD, HEAD_BIAS), self.settings.head_lr)
        return {name: rate for name, rate in rates.items() if rate}
