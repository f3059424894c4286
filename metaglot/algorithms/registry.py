"""Every algorithm that `algorithms:` in params.yaml may name, and where its class is."""

ALGORITHMS = {
    "maml": "metaglot.algorithms.maml:MAML",
    "fomaml": "metaglot.algorithms.fomaml:FOMAML",
    "maml_2017": "metaglot.algorithms.maml_2017:MAML2017",
    "partial_maml": "metaglot.algorithms.partial_maml:PartialMAML",
    "anil": "metaglot.algorithms.anil:ANIL",
    "hf_maml": "metaglot.algorithms.hf_maml:HFMAML",
    "imaml": "metaglot.algorithms.imaml:IMAML",
    "boil": "metaglot.algorithms.boil:BOIL",
    "meta_curvature": "metaglot.algorithms.meta_curvature:MetaCurvature",
    "meta_sgd": "metaglot.algorithms.meta_sgd:MetaSGD",
    "maml_plus_plus": "metaglot.algorithms.maml_plus_plus:MAMLPlusPlus",
    "reptile": "metaglot.algorithms.reptile:Reptile",
    "seq_fomaml": "metaglot.algorithms.seq_fomaml:SeqFOMAML",
    "seq_maml": "metaglot.algorithms.seq_maml:SeqMAML",
    "protonet": "metaglot.algorithms.protonet:ProtoNet",
    "pretrained": "metaglot.algorithms.pretrained:Pretrained",
    "label_free": "metaglot.algorithms.label_free:LabelFree",
    "scratch": "metaglot.algorithms.scratch:Scratch",
}
