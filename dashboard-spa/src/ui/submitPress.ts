/**
 * Keeps the focus where it is while a submit button is pressed. Otherwise the field that loses it is checked, its error
 * moves the button away from under the pointer, and the click is lost.
 */
export function keepFocusOnSubmit(): void {
  document.addEventListener("mousedown", (event) => {
    const target = event.target instanceof Element ? event.target.closest("button[type=submit]") : null;
    if (target !== null) event.preventDefault();
  });
}
