// What a person with a keyboard, a screen reader, a thumb or weak eyes would stumble over, as a list of sentences.
() => {
  const problems = [];
  const visible = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
  const all = (selector) => [...document.querySelectorAll(selector)].filter(visible);
  const show = (element) => `${element.tagName.toLowerCase()}.${element.className.baseVal ?? element.className}`;

  const name = (element) => {
    const by = element.getAttribute("aria-labelledby");
    const label = element.labels?.[0]?.textContent ?? "";
    return (element.getAttribute("aria-label") ?? (by && document.getElementById(by)?.textContent) ?? label) || element.textContent;
  };
  for (const control of all("a[href], button, input, select, textarea, summary, [tabindex='0'], [role=region], [role=img], nav"))
    if (!name(control).trim()) problems.push(`no name: ${show(control)}`);
  for (const image of all("img")) if (!image.hasAttribute("alt")) problems.push(`no alt: ${image.src}`);

  for (const target of all("a[href], button, input, select, textarea, summary")) {
    const { width, height } = target.getBoundingClientRect();
    if (!target.matches(".skip") && (width < 43.5 || height < 43.5)) problems.push(`${width}x${height}: ${show(target)}`);
  }

  if (document.documentElement.scrollWidth > innerWidth) problems.push(`page is ${document.documentElement.scrollWidth} wide`);
  for (const element of all("body *"))
    if (!element.closest(".chips, .scroll, .hidden, .skip") && element.getBoundingClientRect().right > innerWidth + 1)
      problems.push(`sticks out: ${show(element)}`);

  const ids = all("[id]").map((element) => element.id);
  if (new Set(ids).size < ids.length) problems.push("an id is used twice");
  if (all("main").length !== 1 || all("h1").length !== 1) problems.push("not one main and one h1");
  if (!document.documentElement.lang) problems.push("no language");

  // A one-pixel canvas turns any colour into numbers, and lays a translucent one over what is below it.
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const paint = (colour, alpha = 1) => {
    canvas.globalAlpha = alpha;
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const written = (element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim()) || element.placeholder;
  for (const element of all("body *")) {
    if (!written(element) || element.closest("[aria-hidden=true], .hidden, .skip, noscript, option")) continue;
    const chain = [];
    for (let at = element; at; at = at.parentElement) chain.unshift(at);
    let below = [255, 255, 255];
    for (const layer of chain) below = paint(getComputedStyle(layer).backgroundColor);
    const alpha = chain.reduce((product, layer) => product * getComputedStyle(layer).opacity, 1);
    const text = paint(getComputedStyle(element, element.placeholder && !element.value ? "::placeholder" : null).color, alpha);
    const [light, dark] = [luminance(text), luminance(below)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) problems.push(`contrast ${contrast.toFixed(2)}: ${show(element)} ${element.textContent.trim().slice(0, 20)}`);
  }
  return problems;
};
