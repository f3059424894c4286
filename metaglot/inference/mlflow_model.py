"""A trained network as an MLflow model: MLflow runs this file when it loads the model ("models from code").

`stages.track` copies it into the model, with the run's folder as artifacts and the packages that it imports. Nothing is
pickled.
"""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from metaglot.core.common.errors import UserError
from metaglot.inference.predictor import load_predictor
from metaglot.inference.task_requests import answer_all


class RefusedRequest(MlflowException):
    """A request that cannot be answered: MLflow's server sends HTTP 400 and the reason.

    Without this class it would put all images of the request before the reason.
    """

    def __init__(self, reason: str):
        super().__init__(reason, error_code=INVALID_PARAMETER_VALUE)
        self.reason = reason

    def serialize_as_json(self) -> str:
        self.message = self.reason
        return str(super().serialize_as_json())


class FewShotClassifier(PythonModel):
    """Answers a request, or each of a list or of a table's rows: see `answer`, which also checks them."""

    def load_context(self, context: PythonModelContext) -> None:
        self.predictor = load_predictor(Path(context.artifacts["weights"]).parent)

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> Any:
        """model_input: a mapping or a list too, as it was sent: MLflow checks nothing for this type."""
        given: Any = model_input.to_dict("records") if isinstance(model_input, pd.DataFrame) else model_input
        try:
            return answer_all(self.predictor, given)
        except UserError as error:
            raise RefusedRequest(str(error)) from None


set_model(FewShotClassifier())
