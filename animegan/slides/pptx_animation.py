"""Fragments in PowerPoint: shapes that appear with a click. python-pptx has no animations, so the XML is here.

It is what PowerPoint itself writes for its effect "Appear": a list of clicks, each with the effects that it starts.
"""

from itertools import count

from pptx.oxml.ns import qn

from animegan.slides.pptx_template import xml

TIMING = """<p:timing>
  <p:tnLst><p:par><p:cTn id="1" dur="indefinite" restart="never" nodeType="tmRoot"><p:childTnLst>
    <p:seq concurrent="1" nextAc="seek">
      <p:cTn id="2" dur="indefinite" nodeType="mainSeq"><p:childTnLst>{clicks}</p:childTnLst></p:cTn>
      <p:prevCondLst><p:cond evt="onPrev" delay="0"><p:tgtEl><p:sldTgt/></p:tgtEl></p:cond></p:prevCondLst>
      <p:nextCondLst><p:cond evt="onNext" delay="0"><p:tgtEl><p:sldTgt/></p:tgtEl></p:cond></p:nextCondLst>
    </p:seq>
  </p:childTnLst></p:cTn></p:par></p:tnLst>
  {texts}
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
    ids = count(3)
    clicks, texts = "", ""
    for shapes in steps:
        outer, inner, effects = next(ids), next(ids), ""
        for number, shape in enumerate(shapes):
            is_text = shape._element.tag == qn("p:sp")
            node, group = "withEffect" if number else "clickEffect", ' grpId="0"' if is_text else ""
            effects += EFFECT.format(outer=next(ids), inner=next(ids), shape=shape.shape_id, node=node, group=group)
            texts += f'<p:bldP spid="{shape.shape_id}" grpId="0"/>' if is_text else ""
        clicks += CLICK.format(outer=outer, inner=inner, effects=effects)
    if clicks:
        slide._element.append(xml(TIMING.format(clicks=clicks, texts=f"<p:bldLst>{texts}</p:bldLst>" if texts else "")))
