// A signature drawn with finger, pen or mouse; it goes into the form as a PNG. Without a pointer the typed name counts.
"use strict";
for (const box of document.querySelectorAll("[data-sign]")) {
  const canvas = box.querySelector("canvas");
  const field = box.querySelector("input[type=hidden]");
  const ink = canvas.getContext("2d");
  box.hidden = false;
  let drawn = false;
  let last = null;
  ink.lineWidth = 2.5;
  ink.lineCap = ink.lineJoin = "round";
  ink.strokeStyle = "#06222e";
  const clear = () => {
    ink.fillStyle = "#fff";
    ink.fillRect(0, 0, canvas.width, canvas.height);
    field.value = "";
    drawn = false;
  };
  clear();
  const at = (event) => {
    const area = canvas.getBoundingClientRect();
    return [
      ((event.clientX - area.left) * canvas.width) / area.width,
      ((event.clientY - area.top) * canvas.height) / area.height,
    ];
  };
  canvas.addEventListener("pointerdown", (event) => {
    last = at(event);
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = at(event);
    ink.beginPath();
    ink.moveTo(...last);
    ink.lineTo(...next);
    ink.stroke();
    last = next;
    drawn = true;
  });
  const end = () => {
    last = null;
    if (drawn) field.value = canvas.toDataURL("image/png");
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  box.querySelector("button").addEventListener("click", clear);
}
