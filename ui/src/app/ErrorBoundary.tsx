// A page that fails leaves the rest standing and says what happened.
import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { Banner } from '../components/Banner';

interface State {
  readonly error: Error | null;
}

export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <Banner tone="high" title="This page could not be shown">
        <p>{error.message}</p>
        {/* Also the way out when the program was replaced and the old page's files are gone. */}
        <Button mt="sm" size="xs" onClick={() => window.location.reload()}>
          Load the page again
        </Button>
      </Banner>
    );
  }
}
