"""Fragments in PowerPoint: shapes that appear with a click. python-pptx has no animations, so here is the XML.

It is what PowerPoint itself writes for its effect "Appear": a list of clicks, in each what happens at once.
"""

from __future__ import annotations

from itertools import count

from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn

TIMING = """
<p:timing {namespace}>
  <p:tnLst><p:par><p:cTn id="1" dur="indefinite" restart="never" nodeType="tmRoot"><p:childTnLst>
    <p:seq concurrent="1" nextAc="seek">
      <p:cTn id="2" dur="indefinite" nodeType="mainSeq"><p:childTnLst>{clicks}</p:childTnLst></p:cTn>
      <p:prevCondLst><p:cond evt="onPrev" delay="0"><p:tgtEl><p:sldTgt/></p:tgtEl></p:cond></p:prevCondLst>
      <p:nextCondLst><p:cond evt="onNext" delay="0"><p:tgtEl><p:sldTgt/></p:tgtEl></p:cond></p:nextCondLst>
    </p:seq>
  </p:childTnLst></p:cTn></p:par></p:tnLst>
  {built}
</p:timing>"""
CLICK = """
<p:par><p:cTn id="{outer}" fill="hold">
  <p:stCondLst><p:cond delay="indefinite"/></p:stCondLst>
  <p:childTnLst><p:par><p:cTn id="{inner}" fill="hold">
    <p:stCondLst><p:cond delay="0"/></p:stCondLst><p:childTnLst>{effects}</p:childTnLst>
  </p:cTn></p:par></p:childTnLst>
</p:cTn></p:par>"""
EFFECT = """
<p:par><p:cTn id="{outer}" presetID="1" presetClass="entr" presetSubtype="0" fill="hold"{group} nodeType="{node}">
  <p:stCondLst><p:cond delay="0"/></p:stCondLst>
  <p:childTnLst><p:set>
    <p:cBhvr>
      <p:cTn id="{inner}" dur="1" fill="hold"><p:stCondLst><p:cond delay="0"/></p:stCondLst></p:cTn>
      <p:tgtEl><p:spTgt spid="{shape}"/></p:tgtEl>
      <p:attrNameLst><p:attrName>style.visibility</p:attrName></p:attrNameLst>
    </p:cBhvr>
    <p:to><p:strVal val="visible"/></p:to>
  </p:set></p:childTnLst>
</p:cTn></p:par>"""


def appear(slide, steps: list[list]) -> None:
    """Let the shapes of each step appear together, one click after the other."""
    if not steps:
        return
    ids = count(3)
    clicks = "".join(
        CLICK.format(outer=next(ids), inner=next(ids), effects="".join(_effects(shapes, ids))) for shapes in steps
    )
    texts = [shape for shapes in steps for shape in shapes if _is_text(shape)]
    built = "".join(f'<p:bldP spid="{shape.shape_id}" grpId="0"/>' for shape in texts)
    built = f"<p:bldLst>{built}</p:bldLst>" if built else ""
    slide._element.append(parse_xml(TIMING.format(namespace=nsdecls("p"), clicks=clicks, built=built)))


def _effects(shapes: list, ids: count) -> list[str]:
    return [
        EFFECT.format(
            outer=next(ids),
            inner=next(ids),
            shape=shape.shape_id,
            node="withEffect" if number else "clickEffect",
            group=' grpId="0"' if _is_text(shape) else "",
        )
        for number, shape in enumerate(shapes)
    ]


def _is_text(shape) -> bool:
    return shape._element.tag == qn("p:sp")
