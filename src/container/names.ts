import { randomInt } from "node:crypto";

/** Moods and seafarers: a container that nobody named is one of each. */
const MOODS =
  "able angry brave brisk calm candid cheery clever daring eager earnest fair fearless fond frank gentle glad grand handy hardy " +
  "hearty honest jolly keen kind lively loyal lucid merry mighty modest neat nimble noble patient placid plucky polite proud quick " +
  "quiet rapid ready robust rosy serene sharp sleepy sly smart sober spry stout sturdy sunny swift tidy trusty upbeat valiant vivid " +
  "warm wary wise witty zesty";
const SEAFARERS =
  "amundsen anson barents bart battuta bering bligh bougainville brendan byron cabot cabral cabrillo cavendish chichester cook " +
  "cori cousteau dampier davis drake earhart erik flinders franklin frobisher gama gilbert grace hanno hawkins heyerdahl hornblower " +
  "hudson hunter joshua juan kidd kotzebue laperouse leif magellan malaspina mallory mawson nansen nelson niebuhr parry peary " +
  "polo pytheas quiros raleigh rodney ross scott shackleton slocum tasman torres vancouver vespucci wallis weddell wilkes zheng";

/** "angry_cori"; with a number behind it when a few are taken. */
export function drawName(isTaken: (name: string) => boolean): string {
  const moods = MOODS.split(" ");
  const seafarers = SEAFARERS.split(" ");
  for (let tries = 0; ; tries++) {
    const name = `${moods[randomInt(moods.length)]}_${seafarers[randomInt(seafarers.length)]}${tries < 6 ? "" : randomInt(10 ** Math.min(tries - 5, 9))}`;
    if (!isTaken(name)) return name;
  }
}
