import models from 'virtual:models';

/**
 * @typedef {object} ModelCard
 * @property {string} name of the weights file
 * @property {number} bytes of the weights file
 * @property {number} parts in which it is delivered; 0 for one that the person brought
 * @property {string[]} labels of its classes
 * @property {string} title
 * @property {string} data what it was trained on
 * @property {string} samples the data set whose samples it knows
 * @property {boolean} draws whether a drawn digit is something it knows
 */

/** @type {Record<string, Pick<ModelCard, 'title' | 'data' | 'draws'>>} */
const titles = {
  mnist: { title: 'Digits', data: 'cluttered MNIST', draws: true },
  cifar10: { title: 'Ten things', data: 'CIFAR-10', draws: false },
  cifar100: { title: 'A hundred things', data: 'CIFAR-100', draws: false },
};

const order = Object.keys(titles);

/** @param {string} name */
const rank = (name) => (order.includes(name) ? order.indexOf(name) : order.length);

/** Every weights file the page was built with. @type {ModelCard[]} */
export const modelCards = models
  .map(({ name, bytes, parts, labels }) => ({ name, bytes, parts, labels: labels ?? [], samples: name, ...(titles[name] ?? { title: name, data: 'own weights', draws: false }) }))
  .sort((a, b) => rank(a.name) - rank(b.name));

/**
 * The card of weights that the person brought.
 *
 * @param {string} file its name
 * @param {number} bytes
 * @param {import('../engine/host.js').Model} model
 * @returns {ModelCard}
 */
export function ownCard(file, bytes, { dataset, classes, labels }) {
  const known = titles[dataset];
  return {
    name: 'own',
    bytes,
    parts: 0,
    labels,
    title: file.replace(/\.safetensors$/i, ''),
    data: known?.data ?? (dataset || `${classes} classes`),
    samples: dataset,
    draws: known?.draws ?? false,
  };
}
