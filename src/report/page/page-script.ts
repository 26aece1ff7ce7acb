/**
 * The script of the page: a box that shows only steps with a word in them, and two buttons. The page is whole without it.
 * It is in the page, and the page's policy knows it by its digest.
 */
export const PAGE_SCRIPT = `
(() => {
  'use strict';
  const form = document.getElementById('filter');
  if (!form) return;
  const box = form.querySelector('input');
  const count = form.querySelector('output');
  const steps = [...document.querySelectorAll('.step')];
  const groups = [...document.querySelectorAll('.group')];
  const show = () => {
    const word = box.value.trim().toLowerCase();
    let shown = 0;
    for (const step of steps) {
      step.hidden = word !== '' && !(step.closest('.group').dataset.words + step.textContent).toLowerCase().includes(word);
      if (!step.hidden) shown += 1;
    }
    for (const group of groups) group.hidden = ![...group.querySelectorAll('.step')].some((step) => !step.hidden);
    count.textContent = word === '' ? '' : shown + ' of ' + steps.length;
  };
  const openAll = (open) => { for (const step of document.querySelectorAll('details.step')) step.open = open; };
  form.hidden = false;
  form.addEventListener('submit', (event) => event.preventDefault());
  box.addEventListener('input', show);
  const [open, close] = form.querySelectorAll('button');
  open.addEventListener('click', () => openAll(true));
  close.addEventListener('click', () => openAll(false));
})();
`;
