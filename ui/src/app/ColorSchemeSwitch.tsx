// Dark, light, or as the system says.
import { useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import type { KeyboardEvent } from 'react';
import { Icon, type IconName } from '../components/Icon';

const CHOICES: readonly { readonly scheme: MantineColorScheme; readonly name: string; readonly icon: IconName }[] = [
  { scheme: 'light', name: 'Light', icon: 'sun' },
  { scheme: 'dark', name: 'Dark', icon: 'moon' },
  { scheme: 'auto', name: 'As the system', icon: 'system' },
];

export function ColorSchemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const index = CHOICES.findIndex((choice) => choice.scheme === colorScheme);
    const next = (index + step + CHOICES.length) % CHOICES.length;
    const choice = CHOICES[next];
    if (choice !== undefined) setColorScheme(choice.scheme);
    const button = event.currentTarget.children[next];
    if (button instanceof HTMLElement) button.focus();
  };
  return (
    <div className="scheme-switch" role="radiogroup" aria-label="Colour scheme" onKeyDown={move}>
      {CHOICES.map(({ scheme, name, icon }) => (
        <button
          key={scheme}
          type="button"
          role="radio"
          aria-checked={scheme === colorScheme}
          aria-label={name}
          title={name}
          tabIndex={scheme === colorScheme ? 0 : -1}
          onClick={() => setColorScheme(scheme)}
        >
          <Icon name={icon} size={17} />
        </button>
      ))}
    </div>
  );
}
