import models from 'virtual:models';

/**
 * @typedef {object} ModelCard
 * @property {string} name of the weights file
 * @property {number} bytes of the weights file
 * @property {string} title
 * @property {string} data what it was trained on
 * @property {boolean} draws whether a drawn picture is something it knows
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
  .map(({ name, bytes }) => ({ name, bytes, ...(titles[name] ?? { title: name, data: 'own weights', draws: false }) }))
  .sort((a, b) => rank(a.name) - rank(b.name));
