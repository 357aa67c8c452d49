"""The networks of the paper's experiments, and others of their kind, for any input shape and number of outputs.

Each takes the shape of one sample, the number of outputs, a class or function without arguments that makes an
activation (spiking networks have none), and the layers' options dtype= and rng=. dropout: the part dropped at random
while training, of the inputs or where the docstring says (not in spiking networks). The names of vgg16, vgg16_bn,
resnet18, resnet34, vit_b_16 and their parameters are torchvision's (lfp.load_weights takes its files).
Raises ValueError for images that are too small, with the least size.
"""

from lfp_ref.models.line import Make, from_line, parse
from lfp_ref.models.plain import lenet, mlp, small_cnn, vgg_like
from lfp_ref.models.resnet import resnet8, resnet18, resnet20, resnet34
from lfp_ref.models.spiking import spiking_cnn, spiking_from_line, spiking_mlp, spiking_resnet, spiking_vgg
from lfp_ref.models.vgg import vgg16, vgg16_bn
from lfp_ref.models.vit import vit_b_16, vit_tiny

__all__ = ["Make", "from_line", "lenet", "mlp", "parse", "resnet8", "resnet18", "resnet20", "resnet34", "small_cnn",
           "spiking_cnn", "spiking_from_line", "spiking_mlp", "spiking_resnet", "spiking_vgg", "vgg16", "vgg16_bn",
           "vgg_like", "vit_b_16", "vit_tiny"]  # fmt: skip
