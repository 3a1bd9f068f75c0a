// Starts the page.
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './theme/mantine';
import './theme/tokens.css';
import './theme/page.css';
import { App } from './app/App';
import { colorSchemeManager, cssVariablesResolver, theme } from './theme/theme';

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // Asking again is the interval's work, and a server on this machine needs no network.
      retry: false,
      networkMode: 'always',
      refetchOnWindowFocus: true,
      staleTime: 1_000,
    },
    mutations: { networkMode: 'always' },
  },
});

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      colorSchemeManager={colorSchemeManager}
      cssVariablesResolver={cssVariablesResolver}
      defaultColorScheme="auto"
    >
      <QueryClientProvider client={client}>
        <App />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
