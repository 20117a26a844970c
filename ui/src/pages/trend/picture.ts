import { token } from "../../shell/look";

/** Draw what stands in an element - its charts and the words beside them - into one picture. */
function drawn(element: HTMLElement): HTMLCanvasElement {
  const box = element.getBoundingClientRect();
  const scale = window.devicePixelRatio;
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(box.width * scale);
  canvas.height = Math.ceil(element.scrollHeight * scale);
  const ctx = canvas.getContext("2d");
  if (!ctx) return canvas;
  ctx.scale(scale, scale);
  ctx.fillStyle = token("--surface");
  ctx.fillRect(0, 0, box.width, element.scrollHeight);
  ctx.textBaseline = "middle";
  const at = (part: Element) => {
    const { left, top, width, height } = part.getBoundingClientRect();
    return { x: left - box.left, y: top - box.top + element.scrollTop, width, height };
  };
  for (const key of element.querySelectorAll<SVGElement>(".lane-head .series-key line, .lane-head .series-key path")) {
    const { x, y, width, height } = at(key);
    ctx.fillStyle = getComputedStyle(key).stroke;
    ctx.fillRect(x, y + height / 2 - 1, width, 2);
  }
  for (const words of element.querySelectorAll<HTMLElement>(".lane-head > *")) {
    const { x, y, height } = at(words);
    const style = getComputedStyle(words);
    ctx.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    ctx.fillStyle = style.color;
    ctx.fillText(words.innerText.replaceAll("\n", " "), x + (words.querySelector(".series-key")?.getBoundingClientRect().width ?? 0) + 4, y + height / 2);
  }
  for (const part of element.querySelectorAll("canvas")) {
    const { x, y, width, height } = at(part);
    ctx.drawImage(part, x, y, width, height);
  }
  return canvas;
}

/** Save what is seen in an element as a PNG file. */
export function savePicture(element: HTMLElement): void {
  drawn(element).toBlob((blob) => {
    if (!blob) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = "trend.png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}
