"""METRICS: every number that ``evaluate`` gives, with its unit, direction, formula and source.

P and R are the voxels of prediction and reference, N all voxels of the volume; S(P) and
S(R) their surface voxels; d the distance in mm to the nearest point of the other surface.
"""

from collections.abc import Mapping
from dataclasses import dataclass

HIGH, LOW, ZERO, NONE = "higher", "lower", "nearer to 0", "-"


@dataclass(frozen=True)
class Metric:
    """One number per region.

    Parameters
    ----------
    name : str
        Key in the JSON and column of the CSV.
    title : str
        For people.
    unit : str
        ``"1"`` for shares.
    better : str
        ``"higher"``, ``"lower"``, ``"nearer to 0"`` or ``"-"``: what wins a comparison.
    formula : str
        How it is computed.
    source : str
        Where it comes from.
    """

    name: str
    title: str
    unit: str
    better: str
    formula: str
    source: str

    def loss(self, value: float) -> float:
        """Return a number that is smaller where the value is better; 0 if none is."""
        if self.better == ZERO:
            return abs(value)
        return {HIGH: -value, LOW: value}.get(self.better, 0.0)


_DICE = "Dice 1945, doi:10.2307/1932409"
_COUNTS = "Taha and Hanbury 2015, doi:10.1186/s12880-015-0068-x"
_NSD = "Nikolov et al. 2021, doi:10.2196/26151"
_SCRIPT_2023 = "rachitsaluja/BraTS-2023-Metrics"
_PACKAGE_2026 = "brats-evaluation 0.0.10"

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("dice", "Dice", "1", HIGH, "2 #(P and R) / (#P + #R)", _DICE),
        Metric(
            "jaccard",
            "Jaccard",
            "1",
            HIGH,
            "#(P and R) / #(P or R)",
            "Jaccard 1912, doi:10.1111/j.1469-8137.1912.tb05611.x",
        ),
        Metric("sensitivity", "sensitivity", "1", HIGH, "#(P and R) / #R", _COUNTS),
        Metric("specificity", "specificity", "1", HIGH, "#(neither P nor R) / #(N not R)", _COUNTS),
        Metric("precision", "precision", "1", HIGH, "#(P and R) / #P", _COUNTS),
        Metric(
            "hd95_mm",
            "HD95",
            "mm",
            LOW,
            "max(95th percentile of d over S(P), the same over S(R)); other rules: --hd95",
            "Huttenlocher et al. 1993, doi:10.1109/34.232073; Menze et al. 2015, "
            "doi:10.1109/TMI.2014.2377694",
        ),
        Metric(
            "hausdorff_mm",
            "Hausdorff distance",
            "mm",
            LOW,
            "largest d over S(P) and S(R)",
            "Huttenlocher et al. 1993, doi:10.1109/34.232073",
        ),
        Metric(
            "assd_mm",
            "average symmetric surface distance",
            "mm",
            LOW,
            "mean of d over S(P) and S(R) together",
            "Heimann et al. 2009, doi:10.1109/TMI.2009.2013851",
        ),
        Metric(
            "nsd",
            "surface Dice",
            "1",
            HIGH,
            "share of S(P) and S(R) together with d up to the tolerance (1 mm unless --tolerance)",
            _NSD,
        ),
        Metric("volume_ml", "volume", "ml", NONE, "#P x voxel volume", "-"),
        Metric("reference_ml", "reference volume", "ml", NONE, "#R x voxel volume", "-"),
        Metric(
            "volume_difference_ml",
            "volume difference",
            "ml",
            ZERO,
            "volume - reference volume",
            "-",
        ),
        Metric(
            "lesionwise_2023_dice",
            "lesion-wise Dice 2023",
            "1",
            HIGH,
            "mean over lesions and false positives",
            _SCRIPT_2023,
        ),
        Metric(
            "lesionwise_2023_hd95_mm",
            "lesion-wise HD95 2023",
            "mm",
            LOW,
            "mean over lesions and false positives; 374 where there is nothing to compare",
            _SCRIPT_2023,
        ),
        Metric(
            "lesionwise_2026_dice",
            "lesion-wise Dice 2026",
            "1",
            HIGH,
            "mean over matched lesions (MET: over large lesions and false positives)",
            _PACKAGE_2026,
        ),
        Metric(
            "lesionwise_2026_hd95_mm",
            "lesion-wise HD95 2026",
            "mm",
            LOW,
            "as above; 373 where there is nothing to compare",
            _PACKAGE_2026,
        ),
        Metric(
            "lesionwise_2026_nsd",
            "lesion-wise surface Dice 2026",
            "1",
            HIGH,
            "as above; mean of both surfaces' shares with d up to one voxel",
            _PACKAGE_2026,
        ),
    )
}
