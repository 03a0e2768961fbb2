"""Documents of the smallest size, each with one way to show something or nothing, on 100 x 100."""

from __future__ import annotations

NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
HEAD = f'<svg {NAMESPACES} viewBox="0 0 100 100">'
CROSS = '<path fill="none" stroke="black" d="M20 20L80 80M80 20L20 80"/>'
"""Beside which something else is hidden."""
BOX = '<rect x="10" y="30" width="50" height="40"'
CURVE = "M5 50C5 5 95 5 95 50S60 95 40 60"

HIDDEN = {
    "no paint": f'<path stroke="none" fill="none" d="{CURVE}"/>',
    "transparent stroke": f'<path fill="none" stroke="transparent" d="{CURVE}"/>',
    "rgba": f'<path fill="rgba(0,0,0,0)" d="{CURVE}"/>',
    "hex with alpha": f'<path fill="#ff000000" d="{CURVE}"/>',
    "modern rgb": f'<path fill="rgb(0 0 0 / 0%)" d="{CURVE}"/>',
    "opacity": f'{BOX} opacity="0"/>',
    "opacity in percent": f'{BOX} opacity="0%"/>',
    "fill opacity": f'{BOX} fill-opacity="0"/>',
    "stroke opacity": f'<path fill="none" stroke="red" stroke-opacity="0" d="{CURVE}"/>',
    "opacity of a group": f'<g opacity="0"><g opacity="1">{BOX}/></g></g>',
    "visibility": f'{BOX} visibility="hidden"/>',
    "visibility of a group": f'<g visibility="collapse">{BOX}/></g>',
    "display": f'{BOX} display="none"/>',
    "display of a group": f'<g style="display:none"><g style="display:inline">{BOX}/></g></g>',
    "stroke width": f'<path fill="none" stroke="red" stroke-width="0" d="{CURVE}"/>',
    "stroke width in a style": f'<path style="fill:none;stroke:red;stroke-width:0px" d="{CURVE}"/>',
    "style": f'<path style="fill:none;stroke:none" fill="red" d="{CURVE}"/>',
    "class": f'<style>.a{{fill:none}}</style><path class="b a" d="{CURVE}"/>',
    "two classes": f'<style>.a.b{{display:none}}</style><path class="b a" d="{CURVE}"/>',
    "element": f"<style>rect{{fill:none}}</style>{BOX}/>",
    "id": f'<style>#x{{visibility:hidden}}</style>{BOX} id="x"/>',
    "descendant": f'<style>g.a rect{{opacity:0}}</style><g class="a"><g>{BOX}/></g></g>',
    "child": f"<style>g > rect {{display:none}}</style><g>{BOX}/></g>",
    "list of selectors": f"<style>circle, .q, rect:first-child{{fill:none}}</style><g>{BOX}/></g>",
    "attribute selector": f'<style>[data-x="1"]{{fill:none}}</style>{BOX} data-x="1"/>',
    "cdata": f'<style type="text/css"><![CDATA[ .st0{{fill:none;}} /* a */ ]]></style>{BOX} class="st0"/>',
    "specificity": f'<style>#x{{fill:none}} .a{{fill:red}}</style>{BOX} id="x" class="a"/>',
    "order": f'<style>.a{{fill:red}} .b{{fill:none}}</style>{BOX} class="b a"/>',
    "important": f'<style>.a{{fill:none !important}}</style>{BOX} class="a" style="fill:red"/>',
    "style in defs": f'<defs><style>.cls-1{{fill:none}}</style></defs>{BOX} class="cls-1"/>',
    "late style": f'{BOX} class="z"/><style>.z{{fill:none}}</style>',
    "inherited": f'<g fill="none">{BOX}/></g>',
    "inherit": f'<g fill="none">{BOX} fill="inherit"/></g>',
    "missing gradient and none": f'{BOX} fill="url(#missing) none"/>',
    "missing gradient": f'{BOX} fill="url(#missing)"/>',
    "empty gradient": f'<linearGradient id="e"/>{BOX} fill="url(#e)"/>',
    "transparent gradient": '<linearGradient id="t"><stop stop-opacity="0"/><stop offset="1"'
    ' stop-opacity="0"/>'
    f'</linearGradient>{BOX} fill="url(#t)"/>',
    "current colour": f'<g color="transparent">{BOX} fill="currentColor"/></g>',
    "defs": f"<defs>{BOX}/><g>{BOX}/></g></defs>",
    "symbol": f'<symbol id="s" viewBox="0 0 9 9">{BOX}/></symbol>',
    "mask": f'<mask id="m" fill="white">{BOX}/></mask>',
    "clip path": f'<clipPath id="c">{BOX}/></clipPath>',
    "marker": f'<marker id="k">{BOX}/></marker>',
    "pattern": f'<pattern id="p" width="9" height="9">{BOX}/></pattern>',
    "switch": f"<switch><g/>{BOX}/></switch>",
    "language": f'<switch><g systemLanguage="de">{BOX}/></g><g/></switch>',
    "metadata": f'<metadata><x:a xmlns:x="urn:x">{BOX}/></x:a></metadata><title>t</title><desc>d</desc>',
    "another namespace": '<rect xmlns="urn:other" x="10" y="30" width="50" height="40"/>',
    "unknown element": f"<thing>{BOX}/></thing>",
    "white on white": f'{BOX} fill="white"/>',
    "white line": f'<path fill="none" stroke="#fff" d="{CURVE}"/>',
    "off-white": f'{BOX} fill="#fefefe"/>',
    "white background": '<rect width="100%" height="100%" fill="white"/>',
    "white background as a path": '<path fill="#FFF" d="M0 0h100v100H0z"/>',
    "blue background": '<rect width="100" height="100" fill="skyblue"/>',
    "large background": '<rect x="-50" y="-50" width="300" height="300" fill="#eee"/>',
    "rect of no width": '<rect x="10" y="10" width="0" height="40" stroke="black"/>',
    "circle of no radius": '<circle cx="50" cy="50" stroke="black"/>',
    "negative size": '<rect x="10" y="10" width="-20" height="40" stroke="black"/>',
    "empty path": '<path d="" stroke="black"/><path stroke="black"/><path d="none" stroke="black"/>',
    "only a move": '<path d="M40 60" stroke="black" stroke-linecap="round"/>',
    "line of no length": '<line x1="50" y1="20" x2="50" y2="20" stroke="black" stroke-width="4"/>',
    "fill of a line": '<line x1="10" y1="50" x2="90" y2="50"/><polyline points="10,60 90,60"/>',
    "outside the canvas": '<circle cx="200" cy="50" r="20"/><path stroke="black" d="M-50 -5H150"/>',
    "outside its clip": '<clipPath id="c"><circle cx="50" cy="50" r="9"/></clipPath>'
    '<rect x="70" y="5" width="20" height="20" clip-path="url(#c)"/>',
    "black mask": '<mask id="m" maskUnits="userSpaceOnUse" x="0" y="0" width="100" height="100">'
    f'<rect width="100" height="100"/></mask><g mask="url(#m)">{BOX}/></g>',
    "scaled to nothing": f'<g transform="scale(0)">{BOX}/></g>',
    "covered": f'<path stroke="red" d="M15 35h20"/>{BOX} fill="white"/>',
    "use of nothing": '<use href="#none"/><use xlink:href=""/>',
    "use of another file": '<use href="other.svg#a"/><use xlink:href="http://127.0.0.1/a.svg#b"/>',
    "use of what is hidden": f'<defs><g id="h" display="none">{BOX}/></g></defs><use href="#h"/>',
    "hidden use": f'<defs>{BOX} id="h"/></defs><use href="#h" opacity="0"/><use href="#h" fill="none"/>',
}
"""What nobody sees."""

SHOWN = {
    "stroke": f'<path fill="none" stroke="black" d="{CURVE}"/>',
    "fill": f'<path fill-rule="evenodd" d="{CURVE}z"/>',
    "open fill": '<path fill="red" d="M10 10L90 30L50 90"/>',
    "fill without a fill and a stroke": '<path fill="white" stroke="black" d="M10 10L90 30L50 90"/>',
    "white on black": '<rect x="5" y="5" width="90" height="90"/><circle cx="50" cy="50" r="20"'
    ' fill="#fff"/>',
    "white line on black": '<rect width="100" height="100"/><path fill="none" stroke="#fff" d="M10 50H90"/>',
    "hidden group, visible child": f'<g visibility="hidden">{BOX} visibility="visible"/></g>',
    "sheet against attribute": f'<style>rect{{fill:red}}</style>{BOX} fill="none"/>',
    "inline against sheet": f'<style>.a{{fill:none}}</style>{BOX} class="a" style="fill:red"/>',
    "fallback": f'{BOX} fill="url(#missing) red"/>',
    "gradient": '<linearGradient id="g"><stop stop-color="red"/><stop offset="1" stop-color="blue"/>'
    f'</linearGradient>{BOX} fill="url(#g)"/>',
    "gradient of a gradient": '<linearGradient id="a"><stop stop-color="red"/></linearGradient>'
    f'<radialGradient id="b" xlink:href="#a"/>{BOX} fill="url(#b)"/>',
    "current colour": f'<g color="blue">{BOX} fill="none" stroke="currentColor"/></g>',
    "hsl": f'{BOX} fill="hsl(120, 50%, 50%)"/>',
    "half opacity": f'<g opacity=".5">{BOX}/></g>',
    "shapes": '<circle cx="20" cy="20" r="10"/><ellipse cx="50" cy="20" rx="12" ry="6"/>'
    '<rect x="70" y="10" width="20" height="20" rx="5"/><polygon points="10,50 30,50 20,70"/>'
    '<polyline points="40,50 60,50 50,70" fill="none" stroke="red"/>'
    '<line x1="70" y1="50" x2="90" y2="70" stroke="blue"/>',
    "rect with other radii": '<rect x="20" y="20" width="60" height="40" rx="30" ry="5"/>',
    "percentages": '<rect x="10%" y="20%" width="50%" height="25%"/><circle cx="70%" cy="70%" r="10%"/>',
    "units": '<rect x="1mm" y="10pt" width="0.5in" height="1cm" fill="none" stroke="red"'
    ' stroke-width="1pt"/>',
    "properties of geometry": '<rect style="x:10px;y:20px;width:40px;height:30px"/>',
    "arcs": '<path fill="none" stroke="black" d="M10 50a20 10 30 1 0 40 0A15 15 0 0 1 80 50"/>',
    "flags without spaces": '<path fill="none" stroke="black" d="M10 50a20 20 0 0150 0"/>',
    "arc of no radius": '<path fill="none" stroke="black" d="M10 50A0 9 0 0 1 80 60"/>',
    "smooth curves": '<path fill="none" stroke="black" d="M10 50q10-30 20 0t20 0 20 0c5 5 5 20 10'
    ' 20s10-10 5-30"/>',
    "path with an error": '<path fill="none" stroke="black" d="M10 10L90 90L 90 x 5 L 10 90"/>',
    "after closing": '<path fill="none" stroke="black" d="M10 10h20v20zl50 50m5 5h5z"/>',
    "dot": '<path stroke="black" stroke-width="3" stroke-linecap="round" d="M50 50h0"/>'
    '<line x1="20" y1="20" x2="20" y2="20" stroke="black" stroke-width="3" stroke-linecap="square"/>',
    "transforms": f'<g transform="translate(20 10) rotate(20,50,50)scale(.5)"><g'
    f' transform="skewX(10)">{BOX}/></g></g>',
    "matrix": f'<g transform="matrix(.5 .2 -.3 .5 40 5)">{BOX} fill="none" stroke="red"/></g>',
    "property of transform": f'<g style="transform: translate(10px, 5px) rotate(10deg)">{BOX}/></g>',
    "use": f'<defs><g id="u">{BOX} fill="none" stroke="red"/></g></defs><use xlink:href="#u" x="20"'
    f' y="-10"/>',
    "use gives the fill": f'<defs>{BOX} id="u"/></defs><use href="#u" fill="red" transform="scale(.5)"/>',
    "use of use": f'<defs>{BOX} id="u"/><use id="v" href="#u" x="5"/></defs><use href="#v" y="20"/>',
    "use of what is drawn": '<circle id="c" cx="20" cy="20" r="9"/><use href="#c" x="40"/>',
    "symbol in use": '<symbol id="s" viewBox="0 0 10 10"><circle cx="5" cy="5" r="4"/></symbol>'
    '<use href="#s" x="10" y="10" width="30" height="30"/><use href="#s" x="50" y="50" width="40"'
    ' height="20"/>',
    "symbol without a size": '<symbol id="s" viewBox="0 0 10 10"><circle cx="5" cy="5" r="4"/>'
    '</symbol><use href="#s"/>',
    "symbol is clipped": '<symbol id="s" viewBox="0 0 10 10"><circle cx="5" cy="5" r="7"/></symbol>'
    '<use href="#s" x="10" y="10" width="50" height="50"/>',
    "overflow": '<symbol id="s" viewBox="0 0 10 10" overflow="visible"><circle cx="5" cy="5" r="7"/></symbol>'
    '<use href="#s" x="30" y="30" width="40" height="40"/>',
    "nested svg": '<svg x="20" y="10" width="40" height="60" viewBox="0 0 10 10"><circle cx="5"'
    ' cy="5" r="4"/></svg>',
    "nested svg to the right": '<svg x="20" y="10" width="60" height="30" viewBox="0 0 10 10"'
    ' preserveAspectRatio="xMaxYMid"><circle cx="5" cy="5" r="4"/></svg>',
    "nested svg sliced": '<svg x="20" y="10" width="60" height="30" viewBox="0 0 10 10"'
    ' preserveAspectRatio="xMidYMin  slice"><circle cx="5" cy="5" r="4"/></svg>',
    "nested svg stretched": '<svg x="20" y="10" width="60" height="30" viewBox="0 0 10 10"'
    ' preserveAspectRatio="none"><circle cx="5" cy="5" r="4"/></svg>',
    "nested svg in percent": '<svg x="50%" width="50%" height="50%"><circle cx="50%" cy="50%"'
    ' r="20%"/></svg>',
    "clip": '<clipPath id="c"><circle cx="50" cy="50" r="30"/></clipPath>'
    '<path fill="none" stroke="black" clip-path="url(#c)" d="M0 0L100 100M0 100L100 0"/>',
    "clip of a group": '<clipPath id="c"><path clip-rule="evenodd" d="M10 10h80v80h-80zM30'
    ' 30h40v40h-40z"/></clipPath>'
    '<g clip-path="url(#c)"><path stroke="black" d="M0 50H100M50 0V100"/></g>',
    "clip by use": '<defs><rect id="r" x="20" y="20" width="50" height="50"/></defs><clipPath'
    ' id="c"><use href="#r"/>'
    '</clipPath><path fill="none" stroke="red" clip-path="url(#c)" d="M0 0L100 100"/>',
    "missing clip": f'{BOX} clip-path="url(#none)"/>',
    "white mask": '<mask id="m" maskUnits="userSpaceOnUse" x="0" y="0" width="100" height="100">'
    f'<path fill="white" d="M0 0h100v100H0z"/></mask><g mask="url(#m)">{BOX}/></g>',
    "half a mask": '<mask id="m" maskUnits="userSpaceOnUse" x="0" y="0" width="100" height="100">'
    '<path fill="white" d="M0 0h50v100H0z"/></mask>'
    '<path mask="url(#m)" fill="none" stroke="black" d="M10 10H90M10 80H90"/>',
    "half covered": '<path fill="none" stroke="black" d="M5 50H95"/><rect x="50" y="30" width="30"'
    ' height="40" fill="#fff"/>',
    "hatching": '<path fill="none" stroke="black" d="M10 50H90M50 10V90M10 12L90 88M20 50H80"/>',
    "eraser": '<path fill="none" stroke="black" d="M10 30H90M10 35H90M10 40H90"/>'
    '<path fill="none" stroke="white" stroke-width="20" d="M50 0V100"/>',
    "stroke of no scale": '<g transform="scale(10 5)"><path vector-effect="non-scaling-stroke"'
    ' fill="none" stroke="red"'
    ' stroke-width="2" d="M1 1L9 9"/></g>',
    "nonzero hole": '<path d="M10 10h80v80h-80zM30 30v40h40v-40z"/>',
    "nonzero without a hole": '<path d="M10 10h80v80h-80zM30 30h40v40h-40z"/>',
    "star that crosses itself": '<path fill="teal" d="M50 5L78 90L4 38H96L22 90z"/>',
    "star with a hole": '<path fill="teal" fill-rule="evenodd" d="M50 5L78 90L4 38H96L22 90z"/>',
    "even-odd hole": '<path fill-rule="evenodd" d="M10 10h80v80h-80zM30 30h40v40h-40z"/>',
    "switch": f'<switch><foreignObject requiredExtensions="urn:x"/><g>{BOX}/></g></switch>',
    "link": f'<a xlink:href="http://127.0.0.1/">{BOX}/></a>',
    "covered by colour": '<circle cx="50" cy="50" r="8"/><circle cx="50" cy="50" r="45" fill="gold"/>',
    "black in black": '<circle cx="50" cy="50" r="40"/><circle cx="50" cy="50" r="9"/>',
    "touching the border": '<circle cx="50" cy="50" r="50" fill="teal"/>',
    "rounded background": '<rect width="100" height="100" rx="20" fill="teal"/>',
}
"""What is seen, at least in part."""
BROWSERS_ONLY = {
    "modern rgb", "property of transform", "properties of geometry", "stroke of no scale",
}  # fmt: skip
"""What resvg does not know, and browsers do."""
