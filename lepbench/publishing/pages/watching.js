"use strict";
// The file is written anew while pictures are drawn; the place that one has scrolled to is kept.
if (document.querySelector("[data-under-way]")) setTimeout(() => location.reload(), 2000);
